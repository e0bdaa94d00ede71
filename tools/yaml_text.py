"""YAML, read and written in C, ten times as fast, where PyYAML was built with it."""

import json
import re
from functools import cache

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str | bytes) -> object:
    """What a document says. Raises yaml.YAMLError."""
    return yaml.load(text, Loader)


def object_of(file: str, text: str) -> dict:
    """The object that a source of the pack is. Raises ValueError, a line that names the
    file, for what is no YAML, no object, or holds what JSON has not, such as a date."""
    try:
        found = load(text)
        json.dumps(found)
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not YAML: {_why(error)}") from None
    except (ValueError, TypeError, RecursionError) as error:
        words = "a text such as 2026-01-31 wants quotes"
        raise ValueError(f"{file}: {error} ({words})") from None
    if not isinstance(found, dict):
        kinds = {list: "a list", type(None): "empty"}
        kind = kinds.get(type(found), "a single value")
        raise ValueError(f"{file} is {kind}: names with values belong there")
    return found


def _why(error: yaml.YAMLError) -> str:
    """Where a document is broken, and how, in one line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    begun = f", {error.context}" if error.context else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}{begun}"


class _Text:
    """YAML 1.1 is what PyYAML writes and 1.2 what Windmill reads: in the latter, text
    such as 1e-05 is a number unless it is quoted."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        number = r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[\da-fA-F]+"
        style = "'" if re.fullmatch(number, text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


class _PlainDumper(_Text, yaml.SafeDumper):
    pass


class _Dumper(_Text, getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
    pass


for _kind in (_PlainDumper, _Dumper):
    _kind.add_representer(str, _kind.represent_text)


def dump(value: dict) -> bytes:
    """A document that says the same to readers of YAML 1.1 and of 1.2."""
    return _dumped(json.dumps(value))


@cache
def _dumped(text: str) -> bytes:
    """JSON as YAML. This is most of the work of a build, and the same in the next."""
    # The one in C escapes what lies beyond 16 bits, such as emoji.
    beyond = "\\ud" in text
    written = yaml.dump(
        json.loads(text),
        Dumper=_PlainDumper if beyond else _Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )
    return written.encode()
