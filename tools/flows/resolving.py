"""What Windmill makes of references in a job's arguments, as its worker does.

An argument is looked at when one of the four words stands anywhere in its JSON. Then
each of its texts that begins with such a word becomes the variable or resource named
behind it, and each that is `$NAME` of one of the job's own variables becomes that, in
objects at any depth and in lists of at most 1000 entries that lie at most two levels
deep. A name that does not exist fails the job.
"""

import json
import re
from collections.abc import Callable, Mapping

WORD = re.compile(r"\$(?:var|jsonvar|res|encrypted):")
DEEPEST = 50
LISTED, LIST_DEPTH = 1000, 2


class UnresolvedError(Exception):
    """A reference that leads nowhere: the job fails."""


class Secrets:
    """The variables and resources of a workspace, and the variables of a job."""

    def __init__(
        self,
        variables: Mapping[str, str],
        resources: Mapping[str, object],
        job: Mapping[str, str],
    ) -> None:
        self.variables, self.resources, self.job = variables, resources, job

    def arguments(self, given: dict) -> dict:
        """A job's arguments as its script gets them. Raises UnresolvedError."""
        return {name: self._argument(value) for name, value in given.items()}

    def _argument(self, value: object) -> object:
        if not WORD.search(json.dumps(value, ensure_ascii=False)):
            return value
        return self.value(value)

    def value(self, value: object, depth: int = 0) -> object:
        """A value with its references resolved. Raises UnresolvedError."""
        if depth >= DEEPEST:
            raise UnresolvedError("Maximum interpolation depth exceeded")
        if isinstance(value, str):
            return self._text(value, depth)
        if isinstance(value, dict):
            return {name: self.value(one, depth + 1) for name, one in value.items()}
        if isinstance(value, list) and depth <= LIST_DEPTH and len(value) <= LISTED:
            return [self.value(one, depth + 1) for one in value]
        return value

    def _text(self, text: str, depth: int) -> object:
        if not text.startswith("$"):
            return text
        word, _, path = text.partition(":")
        if word in ("$var", "$jsonvar"):
            found = _of(self.variables, path, "Variable")
            return json.loads(found) if word == "$jsonvar" else found
        if word == "$res":
            if "/" not in path:
                raise UnresolvedError(f"invalid resource path: {path}")
            return self.value(_of(self.resources, path, "Resource"), depth + 1)
        if word == "$encrypted":
            raise UnresolvedError("Could not decrypt value")
        return self.job.get(text[1:], text)


def _of(found: Mapping, path: str, kind: str) -> object:
    if path not in found:
        raise UnresolvedError(f"{kind} {path} not found")
    return found[path]


def resolving(function: Callable, secrets: Secrets) -> Callable:
    """A job's function that is called with its arguments resolved."""

    def work(**given: object) -> object:
        return function(**secrets.arguments(given))

    return work
