"""The numbers that Word writes before paragraphs, and has in no text."""

import pytest

from scripts.documents import word_lists
from scripts.documents.office_archive import BadFileError
from scripts.documents.word_file import word_text
from tests.test_documents import docx, paragraph, run

DELETED = '<w:rPr><w:del w:author="a"/></w:rPr>'


def level(number, form, text, more=""):
    begin = "" if "w:start" in more else '<w:start w:val="1"/>'
    return (
        f'<w:lvl w:ilvl="{number}">{begin}{more}<w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def abstract(id, *levels):
    return f'<w:abstractNum w:abstractNumId="{id}">{"".join(levels)}</w:abstractNum>'


def number(id, abstract, more=""):
    named = f'<w:abstractNumId w:val="{abstract}"/>'
    return f'<w:num w:numId="{id}">{named}{more}</w:num>'


def item(text, list=1, level=0, style=None, more=""):
    """A paragraph of a list and a level, of what only its style says if None."""
    said = "" if level is None else f'<w:ilvl w:val="{level}"/>'
    said += "" if list is None else f'<w:numId w:val="{list}"/>'
    said = f"<w:numPr>{said}</w:numPr>" if said else ""
    said = f'<w:pStyle w:val="{style}"/>{said}' if style else said
    runs = run(text) if text else ""
    return f"<w:p><w:pPr>{said}{more}</w:pPr>{runs}</w:p>"


def numbered(body, *lists, styles=""):
    """The lines of a Word file with such lists."""
    found = docx(
        body,
        numbering=f"<w:numbering>{''.join(lists)}</w:numbering>",
        styles=f"<w:styles>{styles}</w:styles>",
    )
    return word_text(found).strip().split("\n\n")


CONTRACT = abstract(
    "7",
    level(0, "decimal", "%1."),
    level(1, "lowerLetter", "(%2)"),
    level(2, "lowerRoman", "(%3)"),
    level(3, "decimal", "%1.%2.%4"),
)


def test_each_level_counts_by_itself_and_anew_below_another():
    body = "".join(
        item(text, 1, depth)
        for text, depth in [
            *(("Term", 0), ("starts", 1), ("ends", 1), ("by notice", 2)),
            *(("by death", 2), ("survives", 1), ("Fees", 0), ("monthly", 1), ("x", 3)),
        ]
    )

    assert numbered(body, CONTRACT, number(1, "7")) == [
        *("1. Term", "(a) starts", "(b) ends", "(i) by notice", "(ii) by death"),
        *("(c) survives", "2. Fees", "(a) monthly", "2.a.1 x"),
    ]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("decimal", "1 9 27 29 49 781 4000"),
        ("decimalZero", "01 09 27 29 49 781 4000"),
        ("lowerLetter", "a i aa cc ww 781 4000"),
        ("upperLetter", "A I AA CC WW 781 4000"),
        ("lowerRoman", "i ix xxvii xxix xlix dcclxxxi 4000"),
        ("upperRoman", "I IX XXVII XXIX XLIX DCCLXXXI 4000"),
        ("cardinalText", "1 9 27 29 49 781 4000"),  # words of some language
    ],
)
def test_numbers_are_written_as_word_writes_them(form, written):
    starts = (1, 9, 27, 29, 49, 781, 4000)
    lists = [
        abstract(n, level(0, form, "%1", f'<w:start w:val="{start}"/>'))
        for n, start in enumerate(starts)
    ]
    lists += [number(n, n) for n in range(len(starts))]
    body = "".join(item("x", n) for n in range(len(starts)))

    assert numbered(body, *lists) == [f"{one} x" for one in written.split()]


def test_what_has_no_number_gets_none():
    lists = (
        abstract("1", level(0, "bullet", "\uf0b7"), level(1, "none", "")),
        number(1, 1),
    )
    body = item("bullet") + item("bare", 1, 1) + item("gone", 9) + item("off", 0)
    body += paragraph(run("plain")) + item("wrong level", 1, "x") + item("deep", 1, 12)

    words = ["bullet", "bare", "gone", "off", "plain", "wrong level", "deep"]
    assert numbered(body, *lists) == words


def test_a_text_alone_is_written_before_what_has_no_number():
    lists = abstract("1", level(0, "none", "Note:")), number(1, 1)

    assert numbered(item("mind the gap"), *lists) == ["Note: mind the gap"]


def test_lists_of_one_kind_count_on_unless_one_begins_anew():
    anew = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
    other = f'<w:lvlOverride w:ilvl="0">{level(0, "upperRoman", "%1:")}</w:lvlOverride>'
    lists = CONTRACT, number(1, "7"), number(2, "7"), number(3, "7", anew)
    lists += (number(4, "7", other),)
    body = "".join(item("x", id) for id in (1, 2, 3, 3, 1, 4))
    body += item("y", 3, 1)

    found = numbered(body, *lists)

    assert found == [*("1. x", "2. x", "5. x", "6. x", "7. x", "VIII: x"), "(a) y"]


def test_a_level_that_begins_anew_lets_those_below_begin_anew():
    anew = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    lists = CONTRACT, number(1, "7"), number(2, "7", anew)
    body = item("a", 1) + item("b", 1, 1) + item("c", 2, 1) + item("d", 2, 0)

    assert numbered(body, *lists) == ["1. a", "(a) b", "(a) c", "2. d"]


@pytest.mark.parametrize(
    ("restart", "last"), [(None, "(a) f"), (0, "(c) f"), (1, "(b) f"), (2, "(a) f")]
)
def test_what_a_level_begins_anew_behind_is_its_own(restart, last):
    more = "" if restart is None else f'<w:lvlRestart w:val="{restart}"/>'
    lists = (
        abstract(
            "1",
            level(0, "decimal", "%1."),
            level(1, "decimal", "%1.%2."),
            level(2, "lowerLetter", "(%3)", more),
        ),
        number(1, 1),
    )
    body = item("a") + item("b", 1, 1) + item("c", 1, 2)
    body += item("d") + item("e", 1, 2) + item("e", 1, 1) + item("f", 1, 2)

    assert numbered(body, *lists)[-1] == last


def test_numbers_of_levels_above_may_be_digits():
    lists = (
        abstract(
            "1",
            level(0, "upperRoman", "Article %1"),
            level(1, "decimal", "%1.%2", "<w:isLgl/>"),
            level(2, "decimal", "%1.%3", '<w:isLgl w:val="0"/>'),
        ),
        number(1, 1),
    )
    body = item("a") + item("b") + item("c", 1, 1) + item("d", 1, 2)

    words = ["Article I a", "Article II b", "2.1 c", "II.1 d"]
    assert numbered(body, *lists) == words


def test_a_level_above_that_was_not_there_counts_as_its_first():
    assert numbered(item("a", 1, 3), CONTRACT, number(1, "7")) == ["1.a.1 a"]


def style(id, *said):
    return f'<w:style w:styleId="{id}">{"".join(said)}</w:style>'


def named(list=None, level=None):
    said = "" if level is None else f'<w:ilvl w:val="{level}"/>'
    said += "" if list is None else f'<w:numId w:val="{list}"/>'
    return f"<w:pPr><w:numPr>{said}</w:numPr></w:pPr>"


def test_headings_are_numbered_by_their_styles():
    lists = (
        abstract(
            "1",
            level(0, "decimal", "%1", '<w:pStyle w:val="H1"/>'),
            level(1, "decimal", "%1.%2", '<w:pStyle w:val="H2"/>'),
            level(2, "decimal", "%1.%2.%3"),
        ),
        number(4, "1"),
    )
    styles = style("H1", named(4)) + style("H2", named(4))
    styles += style("H3", '<w:basedOn w:val="H2"/>', named(None, 2))
    styles += style("Based", '<w:basedOn w:val="H1"/>')
    styles += style("Off", '<w:basedOn w:val="H1"/>', named(0))
    styles += style("Round", '<w:basedOn w:val="Round"/>')
    body = "".join(
        item(name, None, None, name)
        for name in ("H1", "H2", "H3", "H2", "H1", "Based", "Off", "Round", "Unknown")
    )
    body += item("own", 0, 0, "H1") + item("deeper", None, 1, "H1")

    assert numbered(body, *lists, styles=styles) == [
        *("1 H1", "1.1 H2", "1.1.1 H3", "1.2 H2", "2 H1", "3 Based", "Off", "Round"),
        *("Unknown", "own", "3.1 deeper"),
    ]


def test_a_list_may_be_that_of_a_style():
    link = '<w:numStyleLink w:val="Outline"/>'
    lists = CONTRACT, abstract("8", link), number(1, "7"), number(2, "8")
    lists += abstract("9", '<w:numStyleLink w:val="None"/>'), number(3, "9")

    found = numbered(
        item("a", 2) + item("b", 3), *lists, styles=style("Outline", named(1))
    )

    assert found == ["1. a", "b"]


def test_paragraphs_that_are_not_there_are_not_counted():
    box = "<w:r><mc:Fallback>" + item("old", 1) + "</mc:Fallback></w:r>"
    row = (
        '<w:tr><w:trPr><w:del w:id="1"/></w:trPr><w:tc>' + item("x") + "</w:tc></w:tr>"
    )
    changed = "<w:pPrChange><w:pPr><w:numPr><w:numId w:val='2'/></w:numPr></w:pPr>"
    body = item("a") + paragraph(box) + f"<w:tbl>{row}</w:tbl>"
    body += item("b", more=changed + "</w:pPrChange>")
    body += item("joined, ", more=DELETED) + item("goes on") + item("c") + item("")
    body += item("d")

    found = numbered(body, CONTRACT, number(1, "7"))

    words = [line.strip() for line in found if line.strip()]
    assert words == ["1. a", "2. b", "3. joined, goes on", "4. c", "6. d"]


def deleted(text):
    return f'<w:del w:id="1">{run(text)}</w:del>'


MOVED = '<w:rPr><w:moveFrom w:id="1"/></w:rPr>'


@pytest.mark.parametrize(
    "gone",
    [
        item("", more=DELETED).replace("</w:p>", deleted("b") + "</w:p>"),
        item("", None, None, more=DELETED).replace("</w:p>", deleted("b") + "</w:p>"),
        item("", more=MOVED).replace(
            "</w:p>", f'<w:moveFrom w:id="1">{run("b")}</w:moveFrom></w:p>'
        ),
        item("", more=DELETED),
    ],
)
def test_a_paragraph_that_is_gone_leaves_its_number_to_the_next(gone):
    found = numbered(item("a") + gone + item("c") + item("d"), CONTRACT, number(1, "7"))

    assert found == ["1. a", "2. c", "3. d"]


def test_a_column_of_numbers_alone_is_read():
    rows = "".join(
        f"<w:tr><w:tc>{item('')}</w:tc><w:tc>{paragraph(run(text))}</w:tc></w:tr>"
        for text in ("Milk", "Eggs")
    )

    (found,) = numbered(f"<w:tbl>{rows}</w:tbl>", CONTRACT, number(1, "7"))

    assert [line.split() for line in found.splitlines()] == [
        ["1.", "Milk"],
        ["2.", "Eggs"],
    ]


def test_digits_of_levels_above_keep_their_zero():
    lists = (
        abstract(
            "1",
            level(0, "upperRoman", "Article %1."),
            level(1, "decimalZero", "Section %1.%2", "<w:isLgl/>"),
        ),
        number(1, 1),
    )

    assert numbered(item("a") + item("b", 1, 1), *lists) == [
        "Article I. a",
        "Section 1.01 b",
    ]


def test_a_text_box_counts_for_itself():
    inner = item("x") + item("y")
    box = f"<w:r><w:pict><w:txbxContent>{inner}</w:txbxContent></w:pict></w:r>"
    first = item("Heading").replace("</w:pPr>", f"</w:pPr>{box}")

    found = numbered(first + item("b"), CONTRACT, number(1, "7"))

    assert found == ["1. x", "2. y", "1. Heading", "2. b"]


def test_paragraphs_that_name_no_style_have_the_default_one():
    normal = style("Normal", named(1)).replace(
        "<w:style ", '<w:style w:type="paragraph" w:default="1" '
    )
    other = style("Table", named(9)).replace(
        "<w:style ", '<w:style w:type="table" w:default="1" '
    )
    body = paragraph(run("a")) + paragraph() + paragraph(run("b")) + item("c", 0)

    found = numbered(body, CONTRACT, number(1, "7"), styles=normal + other)

    assert [line for line in found if line] == ["1. a", "3. b", "c"]


def test_a_level_without_a_first_number_begins_at_zero():
    one = level(0, "decimal", "%1.").replace('<w:start w:val="1"/>', "")

    assert numbered(item("a") + item("b"), abstract("1", one), number(1, 1)) == [
        "0. a",
        "1. b",
    ]


def test_what_a_style_was_before_a_change_is_past():
    old = "<w:pPrChange><w:pPr><w:numPr><w:numId w:val='9'/></w:numPr></w:pPr>"
    said = named(1).replace("</w:pPr>", f"{old}</w:pPrChange></w:pPr>")

    found = numbered(
        item("a", None, None, "S"), CONTRACT, number(1, "7"), styles=style("S", said)
    )

    assert found == ["1. a"]


def test_nothing_may_stand_between_a_number_and_its_text():
    one = level(0, "decimal", "\u7b2c%1\u6761", '<w:suff w:val="nothing"/>')

    assert numbered(item("x"), abstract("1", one), number(1, 1)) == ["\u7b2c1\u6761x"]


def test_a_number_is_not_lost_with_the_code_of_a_field():
    def mark(kind):
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    code = mark("begin") + run("code") + mark("separate") + run("Date") + mark("end")
    body = item("").replace("</w:p>", f"{code}</w:p>")

    assert numbered(body, CONTRACT, number(1, "7")) == ["1. Date"]


def test_a_file_without_lists_or_of_very_many_is_read_within_bounds(monkeypatch):
    assert word_text(docx(item("a"))).strip() == "a"
    assert word_text(docx(item("a"), styles=style("H1", named(1)))).strip() == "a"
    assert word_text(docx(item("a"), numbering="<w:numbering/>")).strip() == "a"
    monkeypatch.setattr(word_lists, "LISTS", 2)
    with pytest.raises(BadFileError, match="more than 2 lists"):
        numbered("", *(number(n, 1) for n in range(3)))
    with pytest.raises(BadFileError, match="more than 2 styles"):
        numbered("", number(1, 1), styles="".join(style(n) for n in "abc"))


def test_what_is_written_around_a_number_has_a_bound():
    lists = abstract("1", level(0, "decimal", "%1" * 900)), number(1, 1)

    assert numbered(item("x"), *lists) == ["1" * (word_lists.LABEL // 2) + " x"]
