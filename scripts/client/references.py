"""What Windmill would take for a reference to a secret, made harmless.

Windmill resolves references in the arguments of a job: a dollar sign followed by
`var:`, `jsonvar:`, `res:` or `encrypted:`. Where an argument holds one anywhere, each
of its texts that begins with a reference is replaced by the variable or resource that
it names, and each text that is the name of a variable of the job, such as its token, by
that variable. A result may become an argument of the next step, so no text that leaves
a script holds a reference: a space is put after the dollar sign. References within JSON
within a text are found too, however often they are escaped.

    harmless   a value without references, and how many texts held some
    is_word    whether a text holds one
    spaced     a text with a space behind each $ that begins one

scripts/replies/harmless_text.py does it for a text that leaves piece by piece.

Whole numbers beyond 2^53 become text on the way, since JavaScript would round them.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json

SAFE = 2**53 - 1
JOB = "$WM_"  # how the names of a job's own variables begin
WORDS = ("var", "jsonvar", "res", "encrypted")


def _letter_pattern(letter: str) -> str:
    code = f"{ord(letter):02x}"
    low = f"[{code[1]}{code[1].upper()}]"
    return rf"(?:{letter}|\\{{1,8}}u00{code[0]}{low})"


def _word_pattern(word: str) -> str:
    """Return the pattern of a word whose letters may each be escaped as in JSON."""
    return "".join(_letter_pattern(letter) for letter in word)


_ANY = "|".join(map(_word_pattern, WORDS))
# Compiled by re when a text is looked through: few hold a sign that may begin one.
_REFERENCE = rf"(?:\$|\\u0024)(?=[vjre\\])(?=(?:{_ANY}){_word_pattern(':')})"
REACH = 13 * (len("encrypted:") + 1)  # characters, of a reference all escaped
# In a list of nothing but these, such as a vector, no item needs a look.
_PLAIN = frozenset((float, bool, type(None)))
_JSON = _PLAIN | {str, int, list, dict}


def is_word(text: str) -> bool:
    """Say whether Windmill would find a reference in a text."""
    return re.search(_REFERENCE, text) is not None


def spaced(text: str) -> str:
    """Return a text with a space behind each dollar sign that begins a reference."""
    return re.sub(_REFERENCE, r"\g<0> ", text)


def harmless(value: Json) -> tuple[Json, int]:
    """Return (the value as it may leave a script, how many texts were changed).

    Lists and objects are changed in place. A value that is no JSON stays as it is.
    """
    root = [value]
    count = 0
    stack: list[Json] = [root]
    while stack:
        group = stack.pop()
        if isinstance(group, list):
            if _PLAIN.issuperset(map(type, group)):
                continue
            items = enumerate(group)
        else:
            for name in group:
                if isinstance(name, str) and ("$" in name or "\\" in name):
                    count += _rename_members(group)
                    break
            items = group.items()
        for place, item in items:
            kind = item.__class__
            if kind not in _JSON:
                item = group[place] = _as_json(item)
                kind = item.__class__
            if kind is str:
                if "$" in item or "\\" in item:
                    text = _harmless_text(item)
                    if text is not item:
                        group[place] = text
                        count += 1
            elif kind is dict or kind is list:
                if item:
                    stack.append(item)
            elif kind is int and not -SAFE <= item <= SAFE:
                group[place] = str(item)
    return root[0], count


def _as_json(value: Json) -> Json:
    """Return what JSON makes of a tuple, or of an object of a class of its own."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    return str(value) if isinstance(value, str) else value


def _rename_members(group: Json) -> int:
    """Make the names of an object's members harmless; return how many were not."""
    names = [n for n in group if isinstance(n, str) and ("$" in n or "\\" in n)]
    changed = {name: _harmless_text(name) for name in names}
    changed = {name: text for name, text in changed.items() if text is not name}
    if changed:
        members = list(group.items())
        group.clear()
        tries: dict[str, int] = {}  # by name: many may become the same one
        for name, item in members:
            whole = name = changed.get(name, name)
            while whole in group:  # another member has that name already
                tries[name] = tries.get(name, 1) + 1
                whole = f"{name} {tries[name]}"
            group[whole] = item
    return len(changed)


def _harmless_text(text: str) -> str:
    """Return a text without references; the same object where it holds none."""
    whole = text
    if "\x00" in text:
        # Windmill removes NUL from a result, which would make a reference of two
        # halves.
        whole = text.replace("\x00", "\ufffd")
    whole = spaced(whole)
    if whole.startswith(JOB):
        whole = f"$ {whole[1:]}"
    return text if whole == text else whole
