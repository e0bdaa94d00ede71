"""What reads text from outside takes time by its size: twice as much, not four times.

Each case is a text that other readers choke on. Its size is doubled, and the time of
the processor may not more than triple. A module that reads with regular expressions or
parses without a case here fails the last test.
"""

import ast
import gc
import gzip
import io
import math
import time
import zipfile
from collections import deque
from pathlib import Path

import pytest

from scripts.across.cutting import cuts_of
from scripts.ai_agents.ai_agent_steps import _citations
from scripts.chat_steps import _thinking_apart
from scripts.client import TogetherError
from scripts.client.jsonio import parse_json
from scripts.client.references import harmless
from scripts.client.request import without_signals
from scripts.client.resource import without_key
from scripts.documents import office_archive, web_page, word_file
from scripts.documents.document_steps import Places, pieces_of
from scripts.documents.word_index import WordIndex, read_index
from scripts.download import filenames
from scripts.download.file_end import FileEnd
from scripts.json_schema.checker import check_schema, problems
from scripts.json_schema.linear_regex import UnfitError, searcher
from scripts.metrics.prometheus import TooManyError, samples
from scripts.replies.harmless_text import HarmlessText
from scripts.replies.sse import Events
from scripts.resilience.fields import with_titles
from scripts.speech.audio_steps import sentences
from scripts.speech.subtitle_files import subtitles
from scripts.structured.category_answers import CategoryAnswer
from scripts.structured.extract_steps import _read_json
from scripts.table.gzipped import unpacked
from scripts.table.table import Table, Template
from scripts.table_files.encodings import BadTextError, texts
from scripts.table_query.cells import json_folded
from scripts.table_query.conditions import read_condition
from scripts.table_query.query import Query, ask
from scripts.tool_calling.tool_steps import written_call
from scripts.transfer import file_input
from scripts.transfer.file_source import BytesSource
from scripts.trigger_steps.retired_model_steps import GIVEN, QUOTED, _lines_at
from scripts.upload.dataset_check import Checker
from scripts.workspace.markup import inline, prose
from scripts.workspace.watermark import with_carried

AUTH = {"api_key": "tgp_growth_0123456789"}
HEAD = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LEAST = 0.01  # seconds of the smaller text, so that the ratio is steady
LARGEST = 1 << 21  # characters up to which a text is made larger for that
# Seconds for so many, and in proportion for more, in which nothing can be read that
# takes time by the square; what memory itself needs is no even ratio.
AT_ONCE = 0.05
REFUSED = (
    TooManyError,
    TogetherError,
    BadTextError,
    UnfitError,
    office_archive.BadFileError,
)


def table(text, name="t.csv"):
    deque(Table(AUTH, {"text": text, "filename": name}), 0)


def cut(text, name="t.csv"):
    cuts_of(BytesSource(text.encode(), "rows", name), 1000)


def archive(member, text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(member, text)
    return buffer.getvalue()


def word(body):
    word_file.word_text(archive("word/document.xml", body))


def nested(text):
    """A page whose tables end."""
    web_page.page_text(text + "</table>" * text.count("<table>"))


def noted(links):
    """Notes as long as the list of what the file's parts are."""
    notes = f"<footnotes>{'<p><r><t>a</t></r></p>' * (len(links) // 9)}</footnotes>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", "<a><p><r><t>a</t></r></p></a>")
        file.writestr("word/footnotes.xml", notes)
        links = f"<Relationships>{links.format(head=HEAD)}</Relationships>"
        file.writestr("word/_rels/document.xml.rels", links)
    word_file.word_text(buffer.getvalue())


def listed(text):
    """As paragraphs, lists and styles of a Word file."""
    links = "".join(
        f'<Relationship Id="{kind}" Type="{HEAD}/{kind}" Target="{kind}.xml"/>'
        for kind in ("numbering", "styles")
    )
    begin = "<num numId='1'><abstractNumId val='1'/></num>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", f"<a>{text}</a>")
        file.writestr("word/numbering.xml", f"<a>{begin}{text}</a>")
        file.writestr("word/styles.xml", f"<a>{text}</a>")
        links = f"<Relationships>{links}</Relationships>"
        file.writestr("word/_rels/document.xml.rels", links)
    word_file.word_text(buffer.getvalue())


def workbook(cells):
    rows = f"<row>{cells}</row>"
    buffer = io.BytesIO()

    def related(kind, target):
        return (
            f'<Relationships><Relationship Id="a" Type="{HEAD}/{kind}" '
            f'Target="{target}"/></Relationships>'
        )

    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("_rels/.rels", related("officeDocument", "xl/workbook.xml"))
        file.writestr("xl/workbook.xml", '<a><sheet name="a" r:id="a"/></a>')
        file.writestr("xl/_rels/workbook.xml.rels", related("worksheet", "s.xml"))
        file.writestr("xl/s.xml", f"<a><sheetData>{rows}</sheetData></a>")
    deque(Table(AUTH, buffer.getvalue()), 0)


def merged(text):
    """Rows that have one number, from which as many merged cells begin."""
    cell = "<c><v>1</v></c>"
    rows = f"{cell}</row>" + f'<row r="2">{cell}</row>' * len(text)
    cells = '<mergeCell ref="A2:A3"/>' * len(text)
    workbook(f"{rows}</sheetData><mergeCells>{cells}</mergeCells><sheetData><row>")


def dataset(text, purpose, kind="jsonl"):
    checker = Checker(purpose, kind)
    data = memoryview(text.encode())
    for place in range(0, len(data), 1 << 16):
        checker.feed(data[place : place + (1 << 16)])
    checker.finish()


def wide(text):
    """A table whose header has a column for each letter."""
    names = ",".join(f"{letter}{n}" for n, letter in enumerate(text))
    dataset(f"{names}\n", "eval", "csv")


def queried(text):
    """Cells that hang on one that never comes wait until the end."""
    rows = Table(AUTH, {"text": f"a\n{text}\n1", "filename": "t.csv"})
    asked = Query(where=["a >= 1,234"], measures=["sum a", "max a"], order="sum a")
    ask(rows, asked, 9)


def condition(text):
    """As a column, and as a value."""
    for words in (f"{text} contains {text}", f"{text} is blank", f"a > {text}"):
        read_condition(words, "where[0]")


def indexed(text):
    """In one passage and in many; found by all of its words."""
    index = WordIndex()
    head = {"key": "", "source": "", "digest": ""}
    index.add(head, [text])
    index.add(head, [text[n : n + 64] for n in range(0, len(text) // 8, 64)])
    read_index(index.written()).best(text, 9)


def streamed(text):
    stream = HarmlessText()
    for place in range(0, len(text), 5):
        stream.add(text[place : place + 5])
    stream.end()


def decoded(data):
    deque(texts([data]), 0)


def carried(text):
    """As many entries that nobody was told of as are found now."""
    old, new = ([{"id": [part, n]} for n in range(len(text))] for part in "ab")
    assert len(with_carried(old, new, "id")) == 2 * len(text)


def spoken(text):
    return {"start": 0.0, "end": 9.0, "text": text}


def unique(text):
    problems([*range(len(text))], {"uniqueItems": True})


def data_uri(text):
    file_input.uri_of(f"data:;base64,{text}", "f", AUTH)


def pieces(text):
    deque(pieces_of(text, 100, 99), 0)


def model_names(text):
    for pattern in (GIVEN, QUOTED):
        deque(pattern.finditer(text), 0)


def renamed(text):
    """As many names that become the same one."""
    signs = [
        f"{n:024b}".replace("1", "\0").replace("0", "\ufffd")
        for n, _ in enumerate(text)
    ]
    members = {f"${one}": one for one in signs}
    harmless(members)
    assert len(members) == len(text)


def refused(text):
    """As many fields of one argument."""
    found = [{"field": f"a[{n}]", "problem": "is odd"} for n in range(len(text))]
    with_titles(TogetherError.refused_all(found), {"a": {"title": "Name"}})


# Of each reader, texts that others of its kind have choked on, to be repeated.
TEXTS = {
    "code": ("model", "model ", "model: ", 'model = "a/', "'a/a", "model|[", "a/", '"'),
    "escapes": ("\\u0041", "\\u", "\\", "\\ud800"),
    "events": ("data: {}\n\n", "\n", "\r\n", "\r", "data:", ": \n"),
    "tags": (
        "<title/>x",
        "<",
        "<!--",
        "<!-- ",
        "<script ",
        "<script>",
        "<a b='",
        '<a b="',
        "</",
        "<?",
    ),
    "page": (
        "<p>a",
        "&amp",
        "&#",
        "<pre> \n",
        "= ",
        "<a = ",
        "<![CDATA[",
        " ",
        "a\n",
        "<ol>",
        "<ol><li>",
    ),
    "tables": ("<table><tr><td rowspan=2>a", "<table><tr><td rowspan=2>a<td>"),
    "notes": ('<Relationship Id="a" Type="{head}/footnotes" Target="footnotes.xml"/>',),
    "word": ("<", "<a>", "<w:t>a</w:t>", "&amp;", "<w:p/>", "<!-- -->", "a "),
    "lists": (
        "<p><pPr><numPr><ilvl val='8'/><numId val='1'/></numPr></pPr></p>",
        "<p><pPr><pStyle val='a'/></pPr><r><t>a</t></r></p>",
        "<p><pPr><pPrChange><pPr/></pPrChange></pPr></p>",
        "<abstractNum abstractNumId='1'><lvl ilvl='1'><lvlText val='%1%2%9'/></lvl>"
        "</abstractNum>",
        "<lvlOverride ilvl='1'><startOverride/></lvlOverride>",
        "<style styleId='a'><basedOn val='a'/></style>",
    ),
    "sheet": ("<c><v>1</v></c>", "<c><v>1</v></c></row><row>", "<c/>", "<"),
    "csv": (
        '"a,\n',
        "a,b\n",
        '"',
        ",",
        "\n",
        "\r",
        '"",',
        'a"',
        " ",
        ";\n,\n",
        "{",
        "[",
    ),
    "lines": ('{"a": 1}\n', "{\n", '"\\u0000"\n', '{"a": NaN}\n', '{"$var:": "$"}\n'),
    "array": ('{"a": 1},', "[", '"', '"\\\\', "1", " ", "1,", '{"a":['),
    "template": ("{{", "{{ ", "{{a}}", "{", "}}", "{{ a b "),
    "metrics": (
        'a{b="c"} 1\n',
        "a{",
        'a="\\',
        'a{b="c",',
        'b="c",',
        " ",
        "#",
        "# TYPE a b\n",
        '# TYPE "a',
        '{"a","b"="c"} .5\n',
        '{"a",',
        '{"\\',
        "a .1",
        "1",
        "1.",
        "\n",
    ),
    "scripts": (
        "a",
        "a ",
        " ",
        "_",
        "\u732b",
        "\u732b ",
        "\u0e01a",
        "\u0915\u093f",
        "\u093f",
        "e\u0301",
        "\u0301",
        "\ufdfa",
    ),
    "members": (gzip.compress(b"", mtime=0), gzip.compress(b"a", mtime=0) + b"\0"),
    "accents": ("\u0301\u0316", "e\u0301\u0316/"),
    "bytes": (
        b"a",
        "é".encode(),
        b"\xe9 ",
        b"a\0",
        b"\xff\xfe",
        b"\xf0\x9f",
        b"\n\xe9",
    ),
    "prose": (
        "a",
        "a ",
        "a. ",
        ".",
        " ",
        "\n",
        "\u3002",
        "\uff0c",
        "\u3002\u300d",
        "! ",
    ),
    "conditions": (
        " and ",
        " or a",
        ", ",
        "=",
        " = ",
        "a contains ",
        " is blank",
        "'",
        "\u201ca\u201d, ",
        "[",
        '["a", ',
        '{"a":',
    ),
    "thought": ("\n", "<think>", "</think>", " <think> "),
    "channel": ("<|channel|>a<|message|>", "<|channel|>a", "<|channel|>", "\n"),
    "call": ("\n<tool_call>", "```\n<tool_call>", "\n", "{", '{"name":'),
    "answer": ("```", "\n", " ", "```json ", "{", "}", "[", '{"a": ', "```\n"),
    "citations": ("[a, 1] ", "[", "[a", "[a,", "a, 1", "]", ", "),
    "choice": (
        " ",
        "\n",
        "and ",
        ",",
        "A) ",
        "A: no\n",
        "A: no spam, ",
        "* \n",
        "answer ",
        "answer: A",
        "letter is ",
        "_",
        "(",
        "spam",
        "spam, no, ",
        "not spam that ",
        "spam - ",
        "because ",
    ),
    "secret": (
        "$",
        "$v",
        "\\",
        "\\u0024",
        "$\\u0076",
        "\\\\",
        "$encrypted",
        "$var:",
        "$WM_",
    ),
    "json": ("[", '{"a":', "1", '"', "\\ud83d", " ", "NaN,", "[],", "9e", "0"),
    "rows": ('{"text": "a"}\n', "{\n", "\n", "[", '"', "a"),
    "records": ("a,b\n", '"', '"\n', ",", "\n", '"a"\n', '""'),
    "values": (
        "1,234\n",
        "01/02/2025\n",
        "1,234",
        "1.",
        "1 ",
        "$1.5\n",
        "007\n",
        "1:00\n",
        "-",
        "a\n",
        f"{'1,' * 50}\n",
        f"{'1 ' * 49}$\n",
    ),
    "columns": ("a", '"'),
    "blanks": (" ",),
    "cell": ("x\n", "x", '""', '"', '"\n', '"a\n', ",\n"),
    "header": (
        ";filename=",
        ';filename="',
        '"',
        "\\",
        ";",
        " ",
        "=",
        "a/",
        "a.",
        "\u202e",
    ),
    "file": ("QUJD", " ", "=", "\n", "data:", "QUJD\n", "A" * 99 + " !"),
    "shown": ("https://", "https://a", "[", "`", "*", "\\", "<", "&", ".", "!", "\n"),
}
CODED = {"A": "Spam", "B": "Ham"}
EMPTY = gzip.compress(b"")
CHANNEL = "<|channel|>a<|message|>"

# Module, texts, and what reads them.
READERS = (
    ("trigger_steps/retired_model_steps", "code", model_names),
    (
        "ai_agents/ai_agent_steps",
        "citations",
        lambda text: _citations(text, [], "find_passages"),
    ),
    (
        "mcp_client",
        "events",
        lambda text: [*Events([text.encode(), b"\n\n"])],
    ),
    (
        "client/resource",
        "escapes",
        lambda text: without_key(AUTH["api_key"], text),
    ),
    ("documents/web_page", "tags", web_page.page_text),
    ("documents/web_page", "page", web_page.page_text),
    ("documents/web_page", "tables", nested),
    ("documents/web_page", "tags", lambda text: web_page.is_page(text)),
    ("documents/web_page", "page", lambda text: web_page.page_text(f"<?xml ?>{text}")),
    ("documents/word_file", "word", word),
    ("documents/word_file", "prose", lambda text: word(f"<a b='{text}'/>")),
    ("documents/word_file", "notes", noted),
    ("documents/word_lists", "lists", listed),
    ("documents/office_archive", "prose", lambda text: word(f"<a {text}/>")),
    ("documents/workbook", "sheet", workbook),
    ("documents/workbook", "columns", merged),
    ("across/cutting", "csv", cut),
    ("across/cutting", "lines", lambda text: cut(text, "t.jsonl")),
    ("table_files/table_file", "prose", lambda text: table(f"+-{text}\n--|{text}")),
    ("table_files/csv_rows", "csv", table),
    ("table_files/json_rows", "lines", lambda text: table(text, "t.jsonl")),
    ("table_files/json_rows", "array", lambda text: table("[" + text, "t.json")),
    ("table/table", "template", lambda text: Template(text + "{{a}}")),
    ("table_files/encodings", "bytes", lambda data: deque(texts([data]), 0)),
    ("documents/document_steps", "prose", pieces),
    (
        "documents/document_steps",
        "prose",
        lambda text: Places("x.md", text).of(len(text)),
    ),
    ("metrics/prometheus", "metrics", samples),
    ("table_query/number_texts", "values", queried),
    ("table_query/date_texts", "values", queried),
    ("table_query/conditions", "prose", condition),
    (
        "table_query/conditions",
        "conditions",
        lambda text: read_condition(f"a = 'b{text}", "where[0]"),
    ),
    (
        "table_query/conditions",
        "conditions",
        lambda text: read_condition(f"a contains {text}", "where[0]"),
    ),
    ("table_query/cells", "conditions", json_folded),
    ("documents/word_index", "scripts", indexed),
    ("speech/audio_steps", "prose", lambda text: sentences(text, 60)),
    ("speech/subtitle_files", "prose", lambda text: subtitles([spoken(text)], "srt")),
    ("chat_steps", "thought", _thinking_apart),
    ("chat_steps", "channel", lambda text: _thinking_apart(CHANNEL + text)),
    ("tool_calling/tool_steps", "call", lambda text: written_call(text, ["a"])),
    ("structured/extract_steps", "answer", lambda text: _read_json(text + "x", {})),
    (
        "structured/category_answers",
        "choice",
        lambda text: CategoryAnswer(text + "x", CODED).mentions(True),
    ),
    (
        "structured/category_answers",
        "choice",
        lambda text: CategoryAnswer(text + "x", CODED).mentions(False),
    ),
    ("client/validate", "prose", lambda text: unique(text)),
    (
        "client/request",
        "columns",
        lambda text: without_signals({f"wm_{n}": 1 for n in range(len(text))}),
    ),
    ("resilience/fields", "columns", refused),
    (
        "table/gzipped",
        "columns",
        lambda text: deque(unpacked([EMPTY * len(text)], ValueError), 0),
    ),
    (
        "table_files/csv_rows",
        "blanks",
        lambda text: table(f'sep= \na b\n"1"{text}x\n'),
    ),
    (
        "trigger_steps/retired_model_steps",
        "columns",
        lambda text: _lines_at("\n" * len(text), [*range(len(text))]),
    ),
    ("client/references", "secret", lambda text: harmless([text])),
    ("client/references", "columns", renamed),
    ("replies/harmless_text", "secret", streamed),
    ("client/jsonio", "json", lambda text: parse_json(f"[{text}".encode())),
    ("client/jsonio", "json", lambda text: parse_json(f'["{text}"]'.encode())),
    ("upload/dataset_check", "rows", lambda text: dataset(text, "fine-tune")),
    ("upload/dataset_check", "records", lambda text: dataset(text, "eval", "csv")),
    ("upload/dataset_check", "columns", wide),
    (
        "upload/dataset_check",
        "cell",
        lambda text: dataset(f'a,b\n1,"{text}', "eval", "csv"),
    ),
    (
        "upload/dataset_check",
        "cell",
        lambda text: dataset(f'a,b\n1,"{text}"\n', "eval", "csv"),
    ),
    ("download/filenames", "header", filenames.named),
    ("download/filenames", "header", filenames.safe_name),
    ("download/filenames", "accents", filenames.safe_name),
    ("download/file_end", "members", lambda data: FileEnd().take(data)),
    ("transfer/file_input", "file", lambda text: file_input.uri_of(text, "f", AUTH)),
    ("transfer/file_input", "file", lambda text: file_input.open_file(text, "f", AUTH)),
    ("transfer/file_input", "file", lambda text: data_uri(text)),
    ("workspace/markup", "shown", inline),
    ("workspace/markup", "shown", prose),
    ("workspace/watermark", "columns", carried),
    *(
        ("json_schema/linear_regex", "prose", searcher(pattern))
        for pattern in ("^(a+)+$", "a*a*b", "^a+$", "(a|aa)*b", r"\s+\.")
    ),
)
# One text for each reader by default, every text of its kind in the slow suite.
CASES = [
    pytest.param(
        reader,
        text,
        id=f"{module} {number}: {text!r}",
        marks=[pytest.mark.slow] if place else [],
    )
    for number, (module, kind, reader) in enumerate(READERS)
    for place, text in enumerate(TEXTS[kind])
]


@pytest.fixture(autouse=True, scope="module")
def _own_garbage():
    """What earlier tests left is not the readers' to look through for garbage."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def seconds(reader, text, tries=3):
    """The processor's time, the least of several tries."""
    took = []
    for _ in range(tries):
        began = time.process_time()
        try:
            reader(text)
        except REFUSED:
            pass
        took.append(time.process_time() - began)
        if took[-1] > 5:
            break
    return min(took)


@pytest.mark.parametrize(("reader", "text"), CASES)
def test_four_times_the_text_takes_no_more_than_nine_times_the_time(reader, text):
    count = 4_000
    once = seconds(reader, text * count, 1)
    while once < LEAST and len(text) * count < LARGEST:
        count *= 2
        once = seconds(reader, text * count, 1)
    # By its size it takes 4 times as long, by the square of it 16 times. Twice the text
    # would not tell them apart where only the smaller one fits into a cache.
    # What is slow by its kind is so every time, what was disturbed is not. The time of
    # the smaller text is the least of several, or a pause in it would hide something.
    tries, longer = 1, math.inf
    for _ in range(6):
        once = min(once, seconds(reader, text * count, tries))
        longer = min(longer, seconds(reader, text * count * 4, tries))
        shown = f"{count} times: {once:.3f} s, four times as much: {longer:.3f} s"
        size = len(text) * count
        at_once = size >= LARGEST and once < AT_ONCE * size / LARGEST
        held = at_once or longer < 9 * once
        if held:
            break
        # Of more text less is due to memory, and a square shows more.
        if size < LARGEST and longer < 1:
            count, longer = count * 2, math.inf
        once, tries = math.inf, 3
    assert held, shown


def test_references_take_time_by_their_number():
    def nested(count):
        steps = {
            f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2}
            for n in range(count)
        }
        return {"$defs": {**steps, f"d{count}": False}, "$ref": "#/$defs/d0"}

    def work(count):
        schema = nested(count)
        check_schema(schema, "schema")
        problems(1, schema)

    assert seconds(work, 40) < 10 * max(seconds(work, 20), LEAST)


# What uses these and reads with them no text from outside, or one that is short.
PARSERS = {"re", "html", "csv", "zipfile", "xml"}
ELSEWHERE = {
    "account_steps": "one line of its own scripts at a time",
    "agent_tools/agent_steps": "the first signs of an address",
    "batch_files/answers": "the name of a row",
    "batch_files/batch_steps": "the first signs of an address",
    "batch_files/input_files": "the name of a file",
    "documents/index_steps": "the first signs of an address",
    "catalog/catalog": "names of prices",
    "file_steps/file_steps": "the first signs of an address",
    "charts": "one sign at a time",
    "client/endings": "a reason of 100 signs at most",
    "client/startup": "what the worker's Python brings",
    "operation_calls/descriptor": "the pack's own paths",
    "json_schema/composed": "a part of a reference, ten digits of it",
    "realtime_audio": "the name of a format",
    "replies/accumulators": "one piece of sound, sign by sign",
    "file_steps/storage_steps": "names of objects, of which storages allow 1024 signs",
    "resilience/server_words": "the first 20,000 characters of a page",
    "resilience/retry": "a header of 60 signs at most",
    "resilience/explain": "the words of an exception",
    "resilience/fields": "the name of a field",
    "tool_calling/model_arguments": "the first signs of a text",
    "tool_calling/tools": "paths of scripts",
    "download/download": "one header",
    "transfer/filetypes": "the ending of a name",
    "transfer/media_view": "writes",
    "transfer/public_fetch": "one header",
    "upload/file_upload": "an id",
    "upload/multipart_upload": "the first 4096 bytes of an answer",
    "workspace/conversation": "an id of one length",
    "workspace/jobs": "the path of a job",
}


def test_each_module_that_parses_has_its_cases():
    root = Path(__file__).parent.parent / "scripts"
    found = {
        path.relative_to(root).with_suffix("").as_posix()
        for path in root.rglob("*.py")
        if PARSERS & set(imported(path.read_text(encoding="utf-8")))
    }

    assert found == {module for module, _, _ in READERS} & found | ELSEWHERE.keys()


def imported(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]
