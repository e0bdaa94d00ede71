"""What arrives at the service when a form is run, held against what was filled in."""

import base64
import json
import random
import re
from collections.abc import Callable, Iterator

import pytest

from scripts.catalog import catalog
from scripts.client import TogetherError
from scripts.client.form import checked_arguments
from scripts.client.validate import FileValue
from tests.support.expected_request import descriptor, expected, main_of, parts
from tests.support.form_values import ABSENT, given_file, shown
from tools.local.fake_workspace import Workspace
from tools.operations import Operation, find, has_own_default
from tools.sandbox import Recorded, Sandbox
from tools.schemas.form import is_file, is_nullable_number
from tools.schemas.form_visibility import hints


def check_run(
    script: Operation,
    arguments: dict,
    sent: dict,
    sandbox: Sandbox,
    workspace: Workspace,
    auth: dict,
) -> None:
    """Run a script with what its form sent when these arguments were filled in."""
    if script.step is None:
        check_arrives(script, arguments, sent, sandbox, auth)
    else:
        check_same(script, arguments, sent, sandbox, workspace, auth)


def check_arrives(
    operation: Operation, arguments: dict, sent: dict, sandbox: Sandbox, auth: dict
) -> None:
    """Run an operation with what its form sent: the arguments meant arrive, no more.

    An upload by protocol sends several requests: what it stores is looked at.
    """
    result = run(operation, sent, sandbox, auth)
    if operation.exchange.get("content") == "signed_upload":
        body = arguments["body"]
        assert body["file_name"] == result["filename"]
        assert base64.b64decode(body["file"]) == sandbox.files[result["id"]][1]
        return
    request = asked(sandbox)
    kinds = Kinds(operation.schema)
    meant = kinds.without_null({**resting(operation), **arguments})
    method, path, query, body = expected(operation, meant, project())
    query = query.replace(".000Z", "Z")
    found = request.query.replace(".000Z", "Z")
    assert (method, path, query) == (request.method, request.path, found)
    assert request.headers["authorization"] == f"Bearer {auth['api_key']}"
    if "content" in operation.exchange:
        run(operation, arguments, sandbox, auth)
        # A switch at rest is sent: off, as the service has it by itself.
        rest = {(name, False, b"false") for name in kinds.switches}
        sent_parts = [part for part in parts(request) if part not in rest]
        assert [p for p in parts(asked(sandbox)) if p not in rest] == sent_parts
    elif not operation.realtime:  # its messages are in test_realtime_audio.py
        found = kinds.without_rest(request.json, body)
        assert kinds.texts(body) == kinds.texts(found)


def resting(operation: Operation) -> dict:
    """What a form's switches among the arguments say when nobody touched them."""
    members = operation.arguments.items()
    return {n: False for n, m in members if m.get("default") is False}


def check_sent(operation: Operation, arguments: dict, given: dict) -> None:
    """What the form sends becomes the arguments that were meant, the form's own
    defaults, and what its switches send at rest: what the service does anyway."""
    found = checked_arguments(descriptor(operation), given)

    kinds = Kinds(operation.schema)
    wanted = {**defaults(operation), **kinds.without_null(arguments)}
    if "body" in operation.arguments:
        wanted.setdefault("body", {})  # a form's is always there, and may hold nothing
    assert kinds.plain(wanted) == kinds.plain(kinds.without_rest(found, wanted))


def defaults(operation: Operation) -> dict:
    """What a form holds at first, and sends."""
    members = operation.arguments.items()
    own = {n: m.get("default") for n, m in members if has_own_default(operation, m)}
    return {name: value for name, value in own.items() if value is not None}


def check_untouched(
    script: Operation,
    form: dict,
    sent: dict,
    sandbox: Sandbox,
    workspace: Workspace,
    auth: dict,
) -> None:
    """Run a script with what its untouched form sends.

    What has to be filled in is named, all of it and nothing else, and nothing is sent;
    a script without any such field does what it does without arguments.
    """
    fields = {n: f for n, f in form["properties"].items() if n != "auth"}
    required = [name for name in form["required"] if name != "auth"]
    empty = set(_empty(fields, required, sent, ""))
    if not empty:
        # Of a choice that must be made, the form has the first one made.
        made = {n: sent[n] for n in required if isinstance(sent.get(n), str)}
        check_run(script, made, sent, sandbox, workspace, auth)
        return
    with pytest.raises(TogetherError) as caught:
        # A worker passes None for what has no default and was not sent.
        run(script, {**dict.fromkeys(required), **sent}, sandbox, auth)
    named = {problem["field"] for problem in caught.value.problems}
    # Of a choice that was made and not filled in, the argument itself is named.
    missed = {e for e in empty - named if e.partition(".")[0] not in named}
    assert not missed, f"not named: {missed}"
    for name in named:
        assert name in str(caught.value)
        assert _at(sent, name) in (ABSENT, None, "", []), f"{name} was not empty"
    assert not sandbox.requests


def run(script: Operation, arguments: dict, sandbox: Sandbox, auth: dict) -> object:
    """The result of a script's main; its requests are the only ones recorded."""
    sandbox.requests.clear()
    return main_of(script)(**{**arguments, "auth": auth})


def project() -> str:
    """The key's own project, which the helper fills in by itself."""
    return find("get_identity").schema["x-reply"]["project"]["id"]


def asked(sandbox: Sandbox) -> Recorded:
    """The last request to the API; what an answer's address leads to came after."""
    requests = [r for r in sandbox.requests if not r.path.startswith("/sandbox/")]
    return requests[-1]


class Kinds:
    """The names of the members of a schema that can be said in several ways."""

    def __init__(self, schema: dict) -> None:
        members = [*named(schema)]
        self.files = {n for n, m in members if is_file(m)}
        self.lists = {n for n, m in members if is_file(m.get("items", {}))}
        self.nulls = {n for n, m in members if is_nullable_number(m)}
        self.times = {n for n, m in members if m.get("format") == "date-time"}
        self.switches = {n for n, m in members if m.get("default") is False}
        self.beside = {n for n, m in members if "beside" in hints(m)}
        self.either = {n for n, m in members if either(m.get("items", {}))}

    def plain(self, value: object, name: str | None = None) -> object:
        """A value with each of these said in one way."""
        if name in self.beside and isinstance(value, str):
            value = [{"type": "text", "text": value}]
        if name in self.files:
            return plain_file(value)
        if name in self.lists:
            return [plain_file(item) for item in value]
        return self._inside(self.plain, value, name)

    def texts(self, value: object, name: str | None = None) -> object:
        """The same of what is on the wire, where files are texts."""
        return self._inside(self.texts, value, name)

    def _inside(self, way: Callable, value: object, name: str | None) -> object:
        if isinstance(value, list):
            return [way(item, name) for item in value]
        if isinstance(value, dict):
            return {n: way(v, n) for n, v in value.items()}
        if name in self.times:
            return value.replace(".000Z", "Z")
        return str(value) if name in self.either else value

    def without_null(self, value: object) -> object:
        """Without the nulls for which a form has no button."""
        if isinstance(value, list):
            return [self.without_null(item) for item in value]
        if not isinstance(value, dict):
            return value
        members = {name: self.without_null(found) for name, found in value.items()}
        return {n: v for n, v in members.items() if v is not None or n in self.nulls}

    def without_rest(self, found: object, wanted: object) -> object:
        """Without the switches that were left as they are."""
        if isinstance(found, list) and isinstance(wanted, list):
            pairs = zip(found, wanted, strict=False)
            return [self.without_rest(f, w) for f, w in pairs] + found[len(wanted) :]
        if not isinstance(found, dict) or not isinstance(wanted, dict):
            return found
        return {
            name: self.without_rest(value, wanted.get(name))
            for name, value in found.items()
            if name in wanted or value is not False or name not in self.switches
        }


def plain_file(value: object) -> dict:
    """A file by the way in which it is given; not every form asks for its name too."""
    value = value.value if isinstance(value, FileValue) else value
    return {**given_file(value), "filename": None}


def named(schema: object) -> Iterator[tuple[str, dict]]:
    """Every member of a schema, at any depth, with its name."""
    if isinstance(schema, list):
        for part in schema:
            yield from named(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"].items()
        for part in schema.values():
            yield from named(part)


def either(items: dict) -> bool:
    """Whether an entry may be a text or a whole number: a form's rows are texts."""
    kinds = {variant.get("type") for variant in items.get("anyOf", ())}
    return kinds == {"string", "integer"}


def _empty(fields: dict, required: list, sent: dict, place: str) -> Iterator[str]:
    """The paths of the required fields that a form left empty."""
    for name in required:
        field, value = fields[name], sent.get(name, ABSENT)
        where = f"{place}{name}"
        if "showExpr" in field and not shown(field, sent):
            continue
        if len(field.get("oneOf", ())) > 1:
            yield from _empty_choice(field, value, where)
        elif field.get("properties"):
            inner = field.get("required", [])
            value = {} if value is ABSENT else value
            yield from _empty(field["properties"], inner, value, f"{where}.")
        elif value == [] and "nonEmpty" not in field:
            continue  # no entries at all say something, too
        elif value in (ABSENT, None, "", []):
            yield where


def _empty_choice(field: dict, value: dict, where: str) -> Iterator[str]:
    """The same behind the button that is pressed: with several fields an object."""
    chosen = next(v for v in field["oneOf"] if v["title"] == value["label"])
    inner = {n: f for n, f in chosen["properties"].items() if n != "label"}
    if inner.keys() & {"text", "list", "number", "switch", "value", "file", "s3"}:
        if any(value.get(n) in (None, "", []) for n in chosen["required"]):
            yield where
        return
    yield from _empty(inner, chosen["required"], value, f"{where}.")


def _at(sent: object, path: str) -> object:
    """What a form sent at a path; ABSENT where it sent nothing."""
    for name in re.findall(r"[^.\[\]]+", path):
        if isinstance(sent, list) and name.isdigit() and int(name) < len(sent):
            sent = sent[int(name)]
        elif isinstance(sent, dict) and name in sent:
            sent = sent[name]
        else:
            return ABSENT
    if isinstance(sent, dict) and "label" in sent:
        values = [v for n, v in sent.items() if n != "label"]
        return ABSENT if not any(values) else sent
    return sent


def check_same(
    step: Operation,
    arguments: dict,
    sent: dict,
    sandbox: Sandbox,
    workspace: Workspace,
    auth: dict,
) -> None:
    """Run a step with the arguments that a flow would give and with what its form sent:
    it asks for the same, or refuses for the same reason."""
    asks = []
    # What is kept for a while, such as the list of models, is known at the second run.
    for given in (arguments, arguments, sent):
        workspace.configure()
        sandbox.files.clear()
        sandbox.uploads.forget()
        random.seed(0)  # a picture's seed, where none is given
        try:
            run(step, given, sandbox, auth)
            said = None
        except TogetherError as error:
            said = str(error)
        for listing in list(catalog._listings.values()):
            listing.join()  # a list read in the background is asked for in this run
        known = json.dumps(arguments)
        asks.append((said, sorted(_told(r, known) for r in sandbox.requests)))
    assert asks[1] == asks[2]


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\dZ")


def _told(request: Recorded, known: str) -> tuple:
    """A request without the ids and moments that no argument holds: they are new each
    time."""

    def blank(text: str) -> str:
        for new in (_UUID, _MOMENT):
            text = new.sub(lambda found: found[0] if found[0] in known else "", text)
        return text

    content = request.body.decode("latin-1")
    if request.headers.get("content-type", "").startswith("multipart/"):
        content = str(parts(request))
    return request.method, blank(request.path), blank(request.query), blank(content)
