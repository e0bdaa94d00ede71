"""What a fuzzer feeds: each reader of outside text, and what must hold of any bytes.

A target takes bytes and raises for a fault: an exception that is no answer to a user,
or an AssertionError for a reading that is wrong. `checked` adds the bounds of time and
memory. tests/test_fuzz_corpus.py goes through inputs that were kept; `./dev probe fuzz`
makes new ones (tools/probes/fuzz.py).
"""

import io
import json
import re
import resource
import time
import zipfile
from importlib import import_module

from scripts.client import TogetherError
from scripts.client.form import checked_arguments
from scripts.client.jsonio import is_deep, parse_json
from scripts.client.references import SAFE
from scripts.documents.document_steps import pieces_of, read_document, text_of
from scripts.replies.accumulators import accumulator
from scripts.replies.sse import Events
from scripts.table.table import Flaw, Table
from tools.operations import scripts

AUTH = {"api_key": "tgp_fuzz_0123456789"}
MOST_CPU = 5.0  # seconds for one input
MOST_GROWTH = 200 << 20  # bytes of memory for one input, of 64 KiB at most
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # not of a text that speaks of one
HEAD = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class BoundError(Exception):
    """An input took more time or memory than one may."""


def checked(name, data):
    """Feed one input; raises what the target raises, and BoundError."""
    before, began = _peak(), time.process_time()
    TARGETS[name](data)
    took, grown = time.process_time() - began, _peak() - before
    if took > MOST_CPU:
        raise BoundError(f"{took:.1f} s of the processor for {len(data)} bytes")
    if grown > MOST_GROWTH:
        raise BoundError(f"{grown >> 20} MiB more for {len(data)} bytes")


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def storable(value):
    """Hold a value to what Windmill can keep as a result."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert not NUL.search(text), "NUL"
    assert not isinstance(value, dict | list) or not is_deep(value), "depth"


# --- events ------------------------------------------------------------------------


def events(data):
    """Wherever the pieces of a body part, the same events come, those that a reader of
    the specification finds; what is gathered of them is a result."""
    cuts, data = data[:4], data[4:]
    found = list(Events([data] if data else []))
    assert found == _by_the_book(data), "not what the specification says"
    pieces, rest = [], data
    for cut in cuts:
        pieces, rest = [*pieces, rest[: cut % 16]], rest[cut % 16 :]
    parted = [*pieces, *(rest[n : n + 7] for n in range(0, len(rest), 7))]
    assert found == list(Events(parted)), "other pieces, other events"
    for shape in ("chat", "completion", "speech"):
        gather = accumulator(shape)
        for text, name in found:
            if gather.add(text, name):
                break
        _shown = gather.take_text()
        storable(gather.whole(_REQUEST))


class _Asked:
    operation = {"filename": "speech"}  # noqa: RUF012


_REQUEST = _Asked()


def _by_the_book(data):
    """https://html.spec.whatwg.org/multipage/server-sent-events.html, line by line; an
    event of blanks is none here, `error` is a field, and `Data` is `data`."""
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    whole = text[: text.rfind(b"\n\n") + 2] if b"\n\n" in text else b""
    found, parts, name = [], [], ""
    lines = whole.decode("utf-8", "replace").split("\n")
    for number, line in enumerate(lines):
        if not number or not lines[number - 1]:
            line = line.lstrip("\ufeff")  # at the beginning of a stream, by the book
        if line == "":
            value = "\n".join(parts)
            if value.strip():
                found.append((value, name))
            parts, name = [], ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field.lower() == "data" or field == "error":
            parts.append(value)
        if field == "event":
            name = value.strip()
        elif field == "error":
            name = field
    return found


# --- JSON --------------------------------------------------------------------------


def mended_json(data):
    """What is read is a result; read again it is the same; and where the standard
    reader finds nothing that needs mending, it says the same."""
    value, problem = parse_json(data)
    if problem:
        return
    storable(value)
    again, problem = parse_json(json.dumps(value).encode())
    assert not problem, "read again it is none"
    assert _same(again, value), "read again it is another"
    try:
        plain = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
        json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return
    assert NUL.search(json.dumps(plain)) or _same(_texts(plain), value), "other"


def _refuse(name):
    raise ValueError(name)


def _texts(value):
    """Whole numbers beyond those of JavaScript as text."""
    if isinstance(value, list):
        return [*map(_texts, value)]
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    if isinstance(value, int) and not -SAFE <= value <= SAFE:
        return str(value)
    return value


def _same(one, other):
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


# --- tables ------------------------------------------------------------------------

NAMES = ("t.csv", "t.jsonl", "t.json", "t.txt", None, "t.xlsx", "t.xlsx", "raw.xlsx")


def tables(data):
    """Each row is an object that is a result, or a Flaw with its reason."""
    kind, data = data[:1], data[1:]
    name = NAMES[kind[0] % len(NAMES)] if kind else None
    if name == "t.xlsx":
        data = _archive(data, _WORKBOOK)
    try:
        table = Table(AUTH, {"file": data, "filename": name} if name else data)
        for row in table:
            if isinstance(row, Flaw):
                assert row.why
                storable(row.why)
            else:
                assert isinstance(row, dict)
                storable(row)
    except TogetherError as error:
        _told(error)


def _told(error):
    """Hold an error to what a user gets: a message, within bounds, and a result."""
    assert str(error).strip(), "an error without words"
    assert len(str(error)) < 10_000, "an error of a book's length"
    storable(str(error))
    storable(vars(error))


# --- documents ---------------------------------------------------------------------

DOCUMENTS = ("d.md", "d.html", "d.txt", None, "d.json", "d.docx", "d.docx", "raw.docx")


def documents(data):
    """The text of a document is a result, and its passages are where they say."""
    kind, data = data[:1], data[1:]
    name = DOCUMENTS[kind[0] % len(DOCUMENTS)] if kind else None
    if name == "d.docx":
        data = _archive(data, _WORD)
    value = {"file": data, "filename": name} if name else data
    try:
        _, text = text_of(read_document(AUTH, value, "documents[0]"), "documents[0]")
    except TogetherError as error:
        _told(error)
        return
    storable(text)
    reached = 0
    for start, piece in pieces_of(text, 40, 8):
        assert text[start : start + len(piece)] == piece, "a passage is elsewhere"
        assert not text[reached:start].strip(), "words between two passages are lost"
        reached = max(reached, start + len(piece))
    assert not text[reached:].strip(), "words at the end are lost"


def _related(kind, target):
    return f'<Relationship Id="{kind}" Type="{HEAD}/{kind}" Target="{target}"/>'


def _relations(*pairs):
    inner = "".join(_related(*pair) for pair in pairs)
    return f"<Relationships>{inner}</Relationships>"


# What an archive holds beside the parts that an input gives, in this order.
_WORKBOOK = (
    {
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": '<w><sheets><sheet name="a" r:id="worksheet"/></sheets></w>',
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "s.xml"), ("sharedStrings", "t.xml"), ("styles", "f.xml")
        ),
    },
    ("xl/s.xml", "xl/t.xml", "xl/f.xml", "xl/workbook.xml"),
)
_WORD = (
    {
        "_rels/.rels": _relations(("officeDocument", "word/document.xml")),
        "word/_rels/document.xml.rels": _relations(
            ("footnotes", "f.xml"), ("endnotes", "e.xml"), ("styles", "s.xml")
        ),
    },
    ("word/document.xml", "word/f.xml", "word/e.xml", "_rels/.rels"),
)


def _archive(data, kind):
    """An archive of the parts that an input holds, NUL between them."""
    files, names = kind
    files = {name: text.encode() for name, text in files.items()}
    files |= dict(zip(names, data.split(b"\x00"), strict=False))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


# --- the form's rule ---------------------------------------------------------------

STEPS = sorted(script.id for script in scripts())


def forms(data):
    """What arguments mean, they mean once more: a dict that comes from a flow's step,
    which has no marks of the form, passes unharmed."""
    number, text = int.from_bytes(data[:2], "big"), data[2:]
    step = _table(STEPS[number % len(STEPS)])
    given, problem = parse_json(text)
    if problem or not isinstance(given, dict):
        return
    members = step["arguments"]["properties"]
    given = {name: value for name, value in given.items() if name in members}
    before = json.dumps(given)
    try:
        meant = checked_arguments(step, given)
    except TogetherError as error:
        _told(error)
        assert json.dumps(given) == before, "the arguments were changed"
        return
    assert json.dumps(given) == before, "the arguments were changed"
    try:
        once = json.dumps(meant, sort_keys=True)
    except TypeError:
        return  # a file, which is to be read
    if '"label"' in once:
        return  # may be a button's word
    try:
        again = checked_arguments(step, meant)
    except TogetherError as error:
        raise AssertionError(f"refused the second time: {error}") from None
    assert json.dumps(again, sort_keys=True) == once, "another meaning"


_tables = {}


def _table(name):
    if name not in _tables:
        module = import_module(f"scripts.{name.replace('/', '.')}")
        _tables[name] = getattr(module, "STEP", None) or module.OPERATION
    return _tables[name]


TARGETS = {
    "events": events,
    "json": mended_json,
    "tables": tables,
    "documents": documents,
    "forms": forms,
}
