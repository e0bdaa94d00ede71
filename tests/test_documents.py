"""Documents as people have them: what is read of each, and within which bounds."""

import base64
import io
import random
import tracemalloc
import zipfile
import zlib

import pytest

from scripts.client import TogetherError
from scripts.documents import office_archive, web_page, word_file
from scripts.embeddings.split_documents import main as split_documents
from tests.support.byte_server import ByteServer, Thing

AUTH = {"api_key": "tgp_documents_0123456789"}
HEAD = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def docx(body, main="word/document.xml", how=zipfile.ZIP_DEFLATED, rels="", **more):
    """A Word file of such a body; `more` are further parts of it by their kind."""
    buffer = io.BytesIO()
    related = rels + "".join(
        f'<Relationship Id="r{kind}" Type="{HEAD}/{kind}" Target="{kind}.xml"/>'
        for kind in more
    )
    with zipfile.ZipFile(buffer, "w", how) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Id="r" Type="{HEAD}/officeDocument" '
            f'Target="/{main}"/></Relationships>',
        )
        archive.writestr(main, f"<w:document><w:body>{body}</w:body></w:document>")
        folder, _, name = main.rpartition("/")
        archive.writestr(
            f"{folder}/_rels/{name}.rels", f"<Relationships>{related}</Relationships>"
        )
        for kind, content in more.items():
            archive.writestr(f"{folder}/{kind}.xml", content)
    return buffer.getvalue()


def run(text, properties=""):
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def paragraph(*runs):
    return f"<w:p>{''.join(runs)}</w:p>"


def document(data, name):
    data = data if isinstance(data, bytes) else data.encode()
    return {"file": base64.b64encode(data).decode(), "filename": name}


def text_of(data, name):
    found = split_documents(AUTH, [document(data, name)], size=10**6, overlap=0)
    return "\n".join(passage["text"] for passage in found["passages"])


# --- Word --------------------------------------------------------------------------


def field(kind):
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def code(words):
    return f"<w:r><w:instrText>{words}</w:instrText></w:r>"


def sign(font, char):
    return f'<w:r><w:sym w:font="{font}" w:char="{char}"/></w:r>'


RAISED = '<w:vertAlign w:val="superscript"/>'


def form(*inner):
    inner = "".join(inner) + ("</w:ddList>" if "ddList" in inner[0] else "")
    begin = field("begin").replace(
        "/></w:r>", f"><w:ffData>{inner}</w:ffData></w:fldChar></w:r>"
    )
    return begin + code(" FORM ") + field("end")


def box(inner):
    return form(f"<w:checkBox>{inner}</w:checkBox>")


def choice(words):
    return f'<w:listEntry w:val="{words}"/>'


def archive(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as found:
        found.writestr(name, content)
    return buffer.getvalue()


def cell(words, properties=""):
    inner = f"<w:tcPr>{properties}</w:tcPr>" if properties else ""
    return f"<w:tc>{inner}{paragraph(run(words))}</w:tc>"


def restart():
    return '<w:vMerge w:val="restart"/>'


def table(*rows):
    inner = "".join(f"<w:tr>{''.join(cells)}</w:tr>" for cells in rows)
    return f"<w:tbl>{inner}</w:tbl>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            paragraph(
                run("Due in "),
                "<w:del><w:r><w:delText>two</w:delText></w:r></w:del>",
                f"<w:ins>{run('three')}</w:ins>",
                run(" weeks"),
            ),
            "Due in three weeks",
        ),
        (
            paragraph(f"<w:moveFrom>{run('here')}</w:moveFrom>")
            + paragraph(f"<w:moveTo>{run('there')}</w:moveTo>"),
            "there",
        ),
        (
            "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>"
            + run("One ")
            + "</w:p>"
            + paragraph(run("line")),
            "One line",
        ),
        (
            paragraph(
                "<mc:AlternateContent><mc:Choice><w:txbxContent>"
                + paragraph(run("Aside"))
                + "</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>"
                + paragraph(run("Aside"))
                + "</w:txbxContent></mc:Fallback></mc:AlternateContent>"
            ),
            "Aside",
        ),
        (
            paragraph(
                "<w:r><w:instrText> PAGEREF _x \\h </w:instrText></w:r>", run("7")
            ),
            "7",
        ),
        (paragraph(run("seen"), run("unseen", "<w:vanish/>")), "seen"),
        (paragraph(run("a", '<w:vanish w:val="0"/>')), "a"),
        (
            paragraph(run("a &lt; b &amp; c"), "<w:r><w:tab/><w:br/></w:r>", run("d")),
            "a < b & c\t\nd",
        ),
        (
            "<w:tbl><w:tr><w:tc>"
            + paragraph(run("Name"))
            + "</w:tc><w:tc>"
            + paragraph(run("Ada"))
            + "</w:tc></w:tr></w:tbl>"
            + paragraph(run("End")),
            "Name \tAda \t\n\nEnd",
        ),
        (
            paragraph(
                field("begin"),
                code("IF "),
                field("begin"),
                code("MERGEFIELD x"),
                field("separate"),
                run("inner"),
                field("end"),
                field("separate"),
                run("shown"),
                field("end"),
            ),
            "shown",
        ),
        (paragraph(field("begin"), run("not closed")), "not closed"),
        (
            "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>"
            + paragraph(run("gone"))
            + "</w:tc></w:tr><w:tr><w:tc><w:tcPr><w:cellDel/></w:tcPr>"
            + paragraph(run("gone"))
            + "</w:tc><w:tc>"
            + paragraph(run("kept"))
            + "</w:tc></w:tr></w:tbl>",
            "kept",
        ),
        (
            paragraph(
                run("5"), '<w:r><w:sym w:font="Symbol" w:char="F0B1"/></w:r>', run("2")
            ),
            "5\u00b12",
        ),
        (
            paragraph(
                '<w:r><w:sym w:font="Symbol" w:char="F061"/><w:ptab/>'
                '<w:sym w:font="Odd" w:char="F061"/></w:r>'
            ),
            "\u03b1\t\ufffd",
        ),
        (
            paragraph(
                "<m:oMath><m:f><m:num><m:t>1</m:t></m:num><m:den><m:t>2</m:t></m:den></m:f>"
                '<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr>'
                "<m:e><m:t>x</m:t></m:e></m:d><m:sSup><m:e><m:t>y</m:t></m:e>"
                "<m:sup><m:t>2</m:t></m:sup></m:sSup></m:oMath>"
            ),
            "(1)/(2)[x]y^(2)",
        ),
        (
            paragraph(
                "<w:r><w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt>"
                "<w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby></w:r>"
            ),
            "漢",
        ),
        (
            table(
                [cell("Fee", '<w:vMerge w:val="restart"/>'), cell("low"), cell("1")],
                [cell("", "<w:vMerge/>"), cell("high"), cell("2")],
                [cell("", '<w:vMerge w:val="continue"/>'), cell("top"), cell("3")],
                [cell("", ""), cell("none"), cell("4")],
            ),
            "Fee \tlow \t1 \t\nFee\thigh \t2 \t\nFee\ttop \t3 \t\n \tnone \t4",
        ),
        (
            table(
                [cell("Wide", '<w:gridSpan w:val="2"/>'), cell("c", restart())],
                [cell("a"), cell("b"), cell("", "<w:vMerge/>")],
            ),
            "Wide \t\tc \t\na \tb \tc",
        ),
        (
            paragraph(
                sign("Wingdings", "F0FE"),
                run(" yes "),
                sign("Wingdings", "00A8"),
                run(" no "),
                sign("Wingdings 2", "F050"),
                run("q \uf0fc", '<w:rFonts w:ascii="Wingdings"/>'),
                run("5 "),
                run("m\uf06d", '<w:rFonts w:hAnsi="Symbol"/>'),
                run("g", '<w:rFonts w:ascii="Symbol" w:asciiTheme="minor"/>'),
            ),
            "☑ yes ☐ no ✓☐ ✓5 μμg",
        ),
        (
            paragraph(box("<w:sizeAuto/>"), run("a "), box("<w:checked/>"), run("b "))
            + paragraph(
                box('<w:default w:val="1"/><w:checked w:val="0"/>'),
                run("c "),
                form('<w:ddList><w:result w:val="1"/>', choice("x"), choice("y"))
                + run("!"),
            ),
            "☐a ☒b \n\n☐c y!",
        ),
        (
            paragraph(run("10"), run("6", RAISED), run(" m"), run("2", RAISED))
            + paragraph(run("in 2020"), run("st", RAISED), run("3", RAISED)),
            "10^6 m2\n\nin 2020st3",
        ),
        (
            paragraph(run("1", "<w:strike/>"), run("2", "<w:dstrike/>"), run("3"))
            + paragraph(run("4", '<w:strike w:val="0"/>'), run("5", "<w:strike/>"))
            + paragraph(run("6")),
            "~~12~~3\n\n4~~5~~\n\n6",
        ),
        (
            table(
                [cell("A" * 501, restart()), cell("1")],
                [cell("", "<w:vMerge/>"), cell("2")],
            ),
            f"{'A' * 501} \t1 \t\n\t2",
        ),
    ],
)
def test_a_word_file_is_read_as_it_reads_once_its_changes_are_accepted(body, text):
    assert text_of(docx(body), "a.docx") == text
    assert text_of(docx(body, "word/document3.xml"), "a.docx") == text


def test_notes_stand_where_they_are_referred_to():
    body = paragraph(
        run("Rent"),
        '<w:r><w:footnoteReference w:id="2"/></w:r>',
        run(" is due"),
        '<w:r><w:endnoteReference w:id="2"/></w:r>',
    )
    foot = f'<w:footnotes><w:footnote w:id="2">{paragraph(run("cold"))}</w:footnote>'
    end = f'<w:endnotes><w:endnote w:id="2">{paragraph(run("monthly"))}</w:endnote>'

    read = docx(body, footnotes=f"{foot}</w:footnotes>", endnotes=f"{end}</w:endnotes>")

    assert text_of(read, "a.docx") == "Rent [cold] is due [monthly]"


def math(*inner):
    return paragraph(f"<m:oMath>{''.join(inner)}</m:oMath>")


def structure(tag, *parts, **signs):
    """A part of a formula: its properties, and its own parts."""
    said = "".join(f'<m:{sign} m:val="{value}"/>' for sign, value in signs.items())
    return f"<m:{tag}><m:{tag}Pr>{said}</m:{tag}Pr>{''.join(parts)}</m:{tag}>"


def part(role, *inner):
    said = "".join(
        one if one[:1] == "<" else f"<m:r><m:t>{one}</m:t></m:r>" for one in inner
    )
    return f"<m:{role}>{said}</m:{role}>"


def square(kind, begin, end):
    rows = [part("mr", part("e", a), part("e", b)) for a, b in ("12", "34")]
    return structure("d", part("e", structure("m", *rows)), begChr=begin, endChr=end)


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (structure("rad", part("deg", "3"), part("e", "8")), "root(3)(8)"),
        (structure("rad", part("deg"), part("e", "8"), degHide="1"), "√(8)"),
        ("<m:rad><m:deg/>" + part("e", "8") + "</m:rad>", "√(8)"),
        (square("m", "[", "]"), "[[1, 2; 3, 4]]"),
        (square("m", "", ""), "[1, 2; 3, 4]"),
        (structure("d", part("e", "1"), part("e", "2")), "(1|2)"),
        (
            structure("d", part("e", "1"), part("e", "2"), sepChr=",", endChr="]"),
            "(1, 2]",
        ),
        (
            structure("eqArr", part("e", "x&amp;=1"), part("e", "2y&amp;=3")),
            "[x=1; 2y=3]",
        ),
        (
            structure("nary", part("sub", "0"), part("sup", "1"), part("e", "x dx")),
            "∫_(0)^(1)x dx",
        ),
        (
            structure("nary", part("sub", "i"), part("sup"), part("e", "i"), chr="∑"),
            "∑_(i)i",
        ),
        (
            structure(
                "nary", part("sub", "i"), part("sup", "9"), supHide="on", chr="∏"
            ),
            "∏_(i)",
        ),
        (
            structure("f", part("num", "n"), part("den", "k"), type="noBar"),
            "(n) atop (k)",
        ),
        (
            structure(
                "f", part("num", "n"), part("den", structure("f", "")), type="lin"
            ),
            "(n)/()",
        ),
        (
            structure("sSubSup", part("e", "x"), part("sub", "1"), part("sup", "2")),
            "x_(1)^(2)",
        ),
        (
            structure("sPre", part("sub", "6"), part("sup", "14"), part("e", "C")),
            "_(6)^(14)C",
        ),
        (
            structure(
                "func",
                part("fName", structure("limLow", part("e", "lim"), part("lim", "n"))),
                part("e", "x"),
            ),
            "lim_(n) x",
        ),
        (structure("acc", part("e", "x")) + "<m:r><m:t>y</m:t></m:r>", "x\u0302y"),
        (structure("bar", part("e", "xy"), pos="top"), "(xy)\u0305"),
        (structure("phant", part("e", "x"), show="0") + part("box", "y"), "y"),
        (structure("box", part("e", "a")), "a"),
    ],
)
def test_a_formula_of_a_word_file_is_written_in_a_line(inner, text):
    assert text_of(docx(paragraph(run("so ")) + math(inner)), "a.docx") == (
        f"so \n\n{text}" if text else "so"
    )


def test_the_number_of_a_paragraph_stands_before_its_formula():
    level = '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:lvlText w:val="%1."/></w:lvl>'
    listed = "<w:pPr><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr>"
    half = math(structure("f", part("num", "1"), part("den", "2")))
    numbering = (
        f'<w:numbering><w:abstractNum w:abstractNumId="1">{level}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>'
    )
    data = docx(half.replace("<w:p>", f"<w:p>{listed}"), numbering=numbering)

    assert text_of(data, "a.docx") == "1. (1)/(2)"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (" EQ \\f(1,2) ", "(1)/(2)"),
        ("eq \\f (\\r(3;8),\\r(x\\,y))", "(root(3)(8))/(√(x,y))"),
        ("EQ x\\s\\up8(2)y\\s\\do 8(i)z\\s(2,1)", "x^(2)y_(i)z_(1)^(2)"),
        ("EQ \\i\\su(i=1,n,i)\\i(0,1,x dx)", "∑_(i=1)^(n)i∫_(0)^(1)x dx"),
        ("EQ \\a\\al\\co2\\hs3(1,2,3,4)", "[1, 2; 3, 4]"),
        ("EQ \\a(1,2)", "[1; 2]"),
        ("EQ \\a\\com(1,2)", "[1; 2]"),
        ("EQ \\b\\bc\\[(a,(b))", "(a, (b))"),
        ("EQ \\o\\ac(○,1) \\x\\to(a) \\* MERGEFORMAT", "○1 a"),
        (
            'EQ \\* jc2 \\* "Font:MS Mincho" \\* hps10 \\o\\ad(\\s\\up 9(かん),漢)',
            "漢",
        ),
        ("EQ \\f(1", "1"),
        ("EQUAL \\f(1,2)", ""),
    ],
)
def test_a_field_that_is_a_formula_is_read_by_its_code(code, text):
    begin, end = field("begin"), field("end")
    half = len(code) // 2
    parts = [
        f"<w:r><w:instrText>{one}</w:instrText></w:r>"
        for one in (code[:half], code[half:])
    ]
    simple = code.replace('"', "&quot;")
    for inner in (
        (begin, *parts, end),
        (begin, *parts, field("separate"), end),
        (f'<w:fldSimple w:instr="{simple}"/>',),
    ):
        data = docx(paragraph(run("a "), *inner, run(" b")))
        assert text_of(data, "a.docx") == f"a {text} b"


def test_arguments_of_a_formula_are_not_nested_for_ever():
    code = f"EQ {'(' * 20_000}1{')' * 20_000}"

    assert word_file.equation(code).strip("()") == "1"


SMILE = (
    '<mc:AlternateContent><mc:Choice Requires="w16se"><w16se:symEx w16se:char="1F60A"/>'
    "</mc:Choice><mc:Fallback><w:t>😊</w:t></mc:Fallback></mc:AlternateContent>"
)


def choice_of(*needs, fallback="<w:t>z</w:t>"):
    """Alternatives that say where they stand, and the last one."""
    said = "".join(
        f'<mc:Choice Requires="{need}"><w:t>{number}</w:t></mc:Choice>'
        for number, need in enumerate(needs)
    )
    last = f"<mc:Fallback>{fallback}</mc:Fallback>" if fallback else ""
    return f"<mc:AlternateContent>{said}{last}</mc:AlternateContent>"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (SMILE, "😊"),
        (choice_of("wps"), "0"),
        (choice_of("w14 cx1", "wpg wp14", "wps"), "1"),
        (choice_of("cx1", "wps cx2"), "z"),
        (choice_of("cx1", fallback=None), ""),
        (choice_of("cx1", fallback=choice_of("cx1", "w15") + SMILE), "1😊"),
        (choice_of("wps", fallback=SMILE), "0"),
        ("<mc:Fallback><w:t>z</w:t></mc:Fallback>", ""),
    ],
)
def test_the_first_of_several_alternatives_that_is_understood_is_read(inner, text):
    choice = '<mc:Choice Requires="w16se"/>'
    font = f"<mc:AlternateContent>{choice}<mc:Fallback><w:rFonts/></mc:Fallback>"
    font = f"<w:rPr>{font}</mc:AlternateContent></w:rPr>"
    body = paragraph(run("a"), f"<w:r>{font}{inner}</w:r>", run("b"))

    assert text_of(docx(body), "a.docx") == f"a{text}b"


def style(id, *said, kind="paragraph"):
    inner = "".join(said)
    return f'<w:style w:type="{kind}" w:styleId="{id}">{inner}</w:style>'


def based(id):
    return f'<w:basedOn w:val="{id}"/>'


STYLES = "".join(
    (
        style("Top", "<w:rPr><w:vanish/></w:rPr>"),
        style("Below", based("Top")),
        style("Shown", based("Top"), '<w:rPr><w:vanish w:val="0"/></w:rPr>'),
        style("Signs", "<w:rPr><w:vanish/></w:rPr>", kind="character"),
        style("Old", "<w:rPr><w:strike/></w:rPr>", kind="character"),
        style("Older", based("Old"), kind="character"),
        style(
            "Past",
            "<w:rPr><w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange></w:rPr>",
        ),
        style("Grid", "<w:tblStylePr><w:rPr><w:vanish/></w:rPr></w:tblStylePr>"),
    )
)


def styled(name, *runs):
    return f'<w:p><w:pPr><w:pStyle w:val="{name}"/></w:pPr>{"".join(runs)}</w:p>'


def of_style(name, more=""):
    return f'<w:rStyle w:val="{name}"/>{more}'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (styled("Top", run("x")) + paragraph(run("a")), "a"),
        (styled("Below", run("x"), run("a", '<w:vanish w:val="0"/>')), "a"),
        (styled("Shown", run("a")) + styled("None", run("b")), "a\n\nb"),
        (styled("Past", run("a")) + styled("Grid", run("b")), "a\n\nb"),
        (paragraph(run("a"), run("x", of_style("Signs")), run("b")), "ab"),
        # Of both a paragraph and its signs, it means the contrary.
        (styled("Top", run("x"), run("a", of_style("Signs"))), "a"),
        (paragraph(run("a"), run("b", of_style("Older")), run("c")), "a~~b~~c"),
        (paragraph(run("a", of_style("Old", '<w:strike w:val="0"/>'))), "a"),
        (paragraph(run("a", of_style("Old", '<w:dstrike w:val="0"/>'))), "~~a~~"),
        (
            paragraph(run("a"), '<w:r><w:footnoteReference w:id="2"/></w:r>'),
            "a [b]",
        ),
        (
            paragraph(
                "<w:r><w:rPr><w:rPrChange><w:rPr><w:rStyle w:val='Signs'/></w:rPr>"
                "</w:rPrChange></w:rPr><w:t>a</w:t></w:r>"
            ),
            "a",
        ),
    ],
)
def test_text_is_seen_as_its_styles_say(body, text):
    note = styled("Top", run("x")) + paragraph(run("b"))
    notes = f'<w:footnotes><w:footnote w:id="2">{note}</w:footnote></w:footnotes>'
    data = docx(body, styles=f"<w:styles>{STYLES}</w:styles>", footnotes=notes)

    assert text_of(data, "a.docx") == text


def framed(properties):
    return f"<w:p><w:pPr><w:framePr {properties}/></w:pPr>{run('O')}</w:p>"


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ('w:dropCap="drop" w:lines="3"', "Once upon\n\na time"),
        ('w:dropCap="margin"', "Once upon\n\na time"),
        ('w:dropCap="none"', "O\n\nnce upon\n\na time"),
        ('w:w="9"', "O\n\nnce upon\n\na time"),
    ],
)
def test_a_large_first_letter_belongs_to_its_word(properties, text):
    body = framed(properties) + paragraph(run("nce upon")) + paragraph(run("a time"))

    assert text_of(docx(body), "a.docx") == text


def test_a_part_that_is_said_to_be_within_the_file_is_read():
    notes = f'<w:footnote w:id="2">{paragraph(run("b"))}</w:footnote>'
    body = paragraph(run("a"), '<w:r><w:footnoteReference w:id="2"/></w:r>')
    data = docx(body, footnotes=f"<w:footnotes>{notes}</w:footnotes>")
    for mode, text in (("Internal", "a [b]"), ("External", "a")):
        found = {}
        with zipfile.ZipFile(io.BytesIO(data)) as whole:
            for name in whole.namelist():
                said = whole.read(name).decode()
                of_all = name == "_rels/.rels" and mode == "External"
                mark = "/>" if of_all else f' TargetMode="{mode}"/>'
                found[name] = said.replace("/>", mark) if ".rels" in name else said
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as whole:
            for name, said in found.items():
                whole.writestr(name, said)

        assert text_of(buffer.getvalue(), "a.docx") == text


def lying(body, how):
    """A Word file whose directory says that its text has 100 bytes."""
    data = docx(body, how=how)
    return data.replace(
        len(f"<w:document><w:body>{body}</w:body></w:document>").to_bytes(4, "little"),
        (100).to_bytes(4, "little"),
    )


BLANKS = " " * (90 << 20)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (lambda: docx(BLANKS), "unpacks to more than 64 MiB"),
        (lambda: docx(f"<w:t>{BLANKS[: 5 << 20]}</w:t>"), "more than 4 Mi char"),
        (lambda: lying(BLANKS, zipfile.ZIP_DEFLATED), "damaged|unfolds"),
        (lambda: docx(BLANKS[:999], how=zipfile.ZIP_BZIP2), "packed in a way"),
        (lambda: docx(BLANKS[:999], how=zipfile.ZIP_LZMA), "packed in a way"),
        (lambda: docx("<w:p>" * 300), "nests elements"),
        (lambda: docx("<w:p/>" * 20_001), "more than 20000 elements"),
        (lambda: docx(f'<w:p a="{BLANKS[: 9 << 20]}"/>'), "a tag of more than"),
        (lambda: docx("<" * (2 << 20)), "is damaged"),
        (lambda: docx("<w:p>")[:-30], "damaged archive, or cut short"),
        (lambda: docx(paragraph(run("a")), "xl/workbook.xml"), "Excel workbook"),
        (lambda: docx(paragraph(run("a")), "ppt/presentation.xml"), "PowerPoint"),
        (lambda: docx(paragraph(run("a")), "other.xml"), None),
    ],
)
def test_a_word_file_is_read_within_bounds(data, problem, monkeypatch):
    monkeypatch.setattr(word_file, "ELEMENTS", 20_000)  # memory is watched: slow
    data = data()
    if problem is None:
        assert text_of(data, "a.docx") == "a"
        return
    tracemalloc.start()
    with pytest.raises(TogetherError, match=problem):
        text_of(data, "a.docx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (64 << 20) + 3 * len(data)


def test_what_an_entity_stands_for_is_not_unfolded():
    entity = '<!DOCTYPE a [<!ENTITY a "aaaa">]><w:document>&a;</w:document>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", entity)

    with pytest.raises(TogetherError, match="declares a document type"):
        text_of(buffer.getvalue(), "a.docx")


def test_any_damage_of_an_archive_is_told_as_one():
    whole = docx(paragraph(run("word ")) * 50)
    text, found = word_file.word_text(whole), []
    for place in range(0, len(whole), 3):
        broken = bytearray(whole)
        broken[place] ^= 0x5A
        try:
            found.append(word_file.word_text(bytes(broken)))
        except office_archive.BadFileError:
            found.append(None)

    # Some bytes are no part of the text: its time, and names that nobody reads.
    assert set(found) == {text, None}


def test_an_encrypted_member_is_told():
    data = bytearray(docx(paragraph(run("a"))))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = -1
        while (place := data.find(mark, place + 1)) >= 0:
            data[place + offset] |= 1

    with pytest.raises(TogetherError, match="protected with a password"):
        text_of(bytes(data), "a.docx")


def test_an_archive_of_very_many_files_is_not_opened():
    entry = b"PK\x01\x02" + bytes(42)

    with pytest.raises(TogetherError, match="of more than 10000 files"):
        text_of(b"PK\x03\x04" + entry * 10_001, "a.docx")


# --- web pages ---------------------------------------------------------------------


def test_what_a_diagram_says_stands_where_it_is(monkeypatch):
    rels = "".join(
        f'<Relationship Id="d{n}" Type="{HEAD}/diagramData" Target="data{n}.xml"/>'
        for n in range(2)
    )
    said = "".join(f"<a:p><a:r><a:t>{one}</a:t></a:r></a:p>" for one in ("Plan", "Do"))
    body = paragraph(run("We"), '<w:drawing><dgm:relIds r:dm="d0"/></w:drawing>')
    data = docx(body, rels=rels, data0=f"<dgm:x>{said}<a:p/></dgm:x>")

    assert text_of(data, "a.docx") == "We [Plan; Do]"
    monkeypatch.setattr("scripts.documents.word_file.DIAGRAMS", 1)
    with pytest.raises(TogetherError, match="more than 1 diagrams"):
        text_of(data, "a.docx")


def test_a_kind_of_notes_is_read_once_however_often_it_is_named():
    one = f'<Relationship Id="n{{}}" Type="{HEAD}/footnotes" Target="footnotes.xml"/>'
    notes = f"<w:footnotes>{paragraph(run('x')) * 20_000}</w:footnotes>"
    data = docx(
        paragraph(run("a")),
        rels="".join(map(one.format, range(300))),
        footnotes=notes,
    )
    assert text_of(data, "a.docx") == "a"


def test_elements_where_none_of_them_belong_are_no_fault_of_the_pack():
    draw = random.Random(5)
    tags = "p r rPr t tbl tr tc del vanish strike rFonts fldChar checkBox listEntry f d"
    tags += " p pPr pPr numPr numPr numId numId ilvl pStyle"
    tags += " oMath oMath m mr e num rad deg nary AlternateContent Choice Fallback"
    tags += " framePr rStyle style basedOn fldSimple instrText"
    values = ("begin", "separate", "end", "1", "Symbol")

    def made(depth):
        tag, value = draw.choice(tags.split()), draw.choice(values)
        inner = "".join(made(depth + 1) for _ in range(draw.randint(0, 7 - depth)))
        given = f'w:val="{value}" w:fldCharType="{value}" w:ascii="{value}"'
        given += f' w:dropCap="{value}" w:instr="EQ {value}" w:styleId="{value}"'
        return f"<w:{tag} {given}>{inner or 'x'}</w:{tag}>"

    for _ in range(60):
        body = made(0) + paragraph(run("x"))
        found = text_of(docx(body, numbering=made(0), styles=made(0)), "a.docx")
        assert isinstance(found, str)


LONG = "z" * 600  # more than each row of a cell over several says again
OVER_TWO = "A\t1\nA\t2\nB\t3"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a &lt; b, c < d and e > f</p>", "a < b, c < d and e > f"),
        ('<img alt="x > y" src=z.png>after', "after"),
        ("<a title='it > is' href=x>link</a>s", "links"),
        ("CO<sub>2</sub> and m<sup>2</sup>, <b>bo</b>ld", "CO2 and m2, bold"),
        ("<p>one<p>two<br>three", "one\n\ntwo\nthree"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<ol><li>one<li>two</ol>x", "1. one\n2. two\n\nx"),
        (
            "<ol start=3><li><p>one</p><p>more</p><li>two</ol>",
            "3. one\n\nmore\n\n4. two",
        ),
        (
            "<ol type='a'><li>one<ul><li>x</ul><ol type=I><li>y<li>z</ol><li>two</ol>",
            "a. one\n\nx\n\nI. y\nII. z\n\nb. two",
        ),
        (
            "<ol><li value=7>one<li><li>two<li value=x>three</ol>",
            "7. one\n9. two\n10. three",
        ),
        ("<ol start=-1 type=A><li>a<li>b<li>c</ol>", "-1. a\n0. b\nA. c"),
        ("<ol style='margin: 0; list-style: none'><li>one</ol>", "one"),
        ("<ol style='list-style-type:none'><li>one</ol><li>two", "one\n\ntwo"),
        ("<ol reversed><li>two<li>one</ol>", "two\none"),
        ("</ol><ol><li><ol></ol></ol></ol><li>a", "a"),
        ("<ol><li>a<ul hidden><li>x</ul><li>b</ol>", "1. a\n\n2. b"),
        ("<ol><li>a<ol style='display:none'><li>x</ol><li>b</ol>", "1. a\n\n2. b"),
        ("<ol><li>a<li hidden>x<li>b</ol>", "1. a\n2. b"),
        ("<ol type=a start=28><li>a</ol>", "ab. a"),
        ("<ol type=A start=53><li>a<li value=703>b</ol>", "BA. a\nAAA. b"),
        ("<ol style='list-style-type: lower-alpha'><li>a<li>b</ol>", "a. a\nb. b"),
        ("<ol style='LIST-STYLE:upper-roman inside'><li>a</ol>", "I. a"),
        ("<ul style='list-style-type:decimal'><li>a<li>b</ul>", "1. a\n2. b"),
        ("<ol style='list-style-type:square'><li>a</ol>", "1. a"),
        ("<ol><li>a<ul><li>x</li></ul></ul></li><li>b</ol>", "1. a\n\nx\n\n2. b"),
        ("<ol><li>a</ul><li>b</menu><li>c</ol>", "1. a\n\n2. b\n3. c"),
        ("<ol><ul><li>x</ol><li>b", "x\n\nb"),
        ("<ol><li title='the value = 7 is'>a</ol>", "1. a"),
        ("<ol title=' start=5 ' class='big reversed list'><li>a</ol>", "1. a"),
        ("<ol start=' +3x' start=9><li>a</ol>", "3. a"),
        (
            "<ol start=2147483647><li>a</ol><ol start=99999999999><li>b</ol>",
            "2147483647. a\n\n1. b",
        ),
        ("<ol><li></li><li><img src=a></ol>x", "x"),
        ("<ol><li><ol><li>a<li>b</ol><li>c</ol>", "1. 1. a\n2. b\n\n2. c"),
        ("<ol><li><s>a</s> b</ol>", "1. ~~a~~ b"),
        ("<table><tr><td><ol><li>a</ol><td>c</table>", "1. a\tc"),
        ("<table><tr><td><ol><li>a<li>b</ol><td>c</table>", "1. a\n2. b\n\nc"),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", "a\tb\nc\n\nd"),
        ("one\n  two\t three", "one two three"),
        ("<pre>one\n  two</pre>three", "one\n  two\n\nthree"),
        ("a<script>if (x < y) { '</p>' }</SCRIPT >b", "ab"),
        ("a<style>p > q {}</style>b<title>t</title>c", "abc"),
        ("a<!-- <p>no</p> -->b<!-->c<!--->d<!doctype x>e<?php x ?>f", "abcdef"),
        (
            "&Auml;&#228;&#xe4;&nbsp;&euro;&amp;amp;&unknown;",
            "Ää\u00e4\xa0€&amp;&unknown;",
        ),
        (f"&#{'9' * 5000};&#x110000;", "\ufffd\ufffd"),
        ("a<p class=don't>b", "a\n\nb"),
        ("a</>b</ c>d", "abd"),
        ("a <b", "a"),
        ("<p hidden>x<p>a<p style='color: red; display:none'>x</p>b", "a\n\nb"),
        ("<ul><li hidden>x<ul><li>x</ul>x<li>a</ul>b", "a\n\nb"),
        ("<table><tr><td><b hidden>x</td><td>a</td></tr></table>b", "\ta\n\nb"),
        ("<div hidden>x<div>x</div>x</div>a<input hidden>b", "ab"),
        ("<p class='not hidden'>a</p><p hidden=until-found>b</p>", "a\n\nb"),
        ("<body style='display:none'>a", "a"),
        ("<pre hidden>x</pre><p>a   b</p>", "a b"),
        ("was <del>100</del> <ins>200</ins>", "was 200"),
        ("<title/>a<script src=x />b</script>c", "ac"),
        ("<table><tr><td rowspan=2>A<td>1<tr><td>2<tr><td>B<td>3</table>", OVER_TWO),
        (
            "<table><tr><td>1<td rowspan='3'>A<tr><td>2<tr><td>3<tr><td>4<td>B</table>",
            "1\tA\n2\tA\n3\tA\n4\tB",
        ),
        (
            "<table><thead><tr><th rowspan=9>a<th colspan=2>b<tr><th>c<th>d</thead>"
            "<tr><td>1<td>2<td>3</table>",
            "a\tb\na\tc\td\n1\t2\t3",
        ),
        (
            "<table><tr><td rowspan=2>A<table><tr><td rowspan=2>i<td>j<tr><td>k</table>"
            "<td>1<tr><td>2</table>",
            "A\n\ni\tj\ni\tk\n\n1\nA i j i k\t2",
        ),
        ("<td rowspan=2>A<tr><td rowspan=x>B", "A\nB"),
        ("<table><tr><td>a<td><td>b<tr><td>c<td>d<td>e</table>", "a\t\tb\nc\td\te"),
        (
            "<table><tr><th></th><th>x<th>y<tr><td> <td><b></b><td>3<td>",
            "\tx\ty\n\t\t3",
        ),
        ("a<table><tr><td></td><td>b</td></tr></table>c", "a\n\n\tb\n\nc"),
        (
            "<table><tr><td colspan=3>A<td>5<tr><td>1<td>2<td>3<td>4",
            "A\t\t\t5\n1\t2\t3\t4",
        ),
        ("<table><tr><td>k<td rowspan=2><td>x<tr><td>l<td>y</table>", "k\t\tx\nl\t\ty"),
        (f"<table><tr><td rowspan=2>{LONG}<td>x<tr><td>y</table>", f"{LONG}\tx\n\ty"),
        (
            "<table><tr><td><p>a</p></td><td><div>b</div></td></tr><tr><th><p>c<td><p>d",
            "a\tb\nc\td",
        ),
        (
            "<table><tr><td><p>a</p><p>b</p><td><p>c</p></table><p>d",
            "a\n\nb\n\nc\n\nd",
        ),
        ("<table><tr><td>x<td><table><tr><td><p>a</p><td>b</table>", "x\n\na\tb"),
        ("<table><tr><td><pre>a\nb</pre><td>c</table>", "a\nb\n\nc"),
        ("漢<rp>(</rp><rt>kan</rt><rp>)</rp>字".join(("<ruby>", "</ruby>!")), "漢字!"),
        ("<ruby>漢<rt>kan<rp>)</ruby>字<p>a", "漢字\n\na"),
        ("<ruby>漢<rt>kan<rb>字<rt>ji</ruby>", "漢字"),
        ("a<video controls><p>no film</p></video>b<canvas>no</canvas>c", "abc"),
        ("<p>a<canvas id=x />b", "ab"),
        ("<dialog>x</dialog><dialog open>a</dialog><datalist>x</datalist>b", "ab"),
        ("<p style=color:red;display:none>x</p>a", "a"),
        (
            "<math><mfrac><mn>1</mn><mn>2</mn></mfrac><msup><mi>x</mi><mrow><mi>n</mi>"
            "<mn>1</mn></mrow></msup><annotation>tex</annotation></math><p>a",
            "(1)/(2)x^(n1)\n\na",
        ),
        (
            "<span class='katex'><math><mi>E</mi><annotation>E</annotation></math>"
            "<span class='katex-html'><span>E</span></span></span> = m",
            "E = m",
        ),
        (
            "10<sup>6</sup> m<sup>2</sup>, 10<sup>-3</sup> 1<sup>st</sup>",
            "10^6 m2, 10^-3 1st",
        ),
        ("<p>2<sup></p><p>3", "2\n\n3"),
        (
            "<s>100</s>200<strike></strike> <p><s>x</p>y</s>z",
            "~~100~~200\n\n~~x\n\ny~~z",
        ),
        ("<template>x</template><template shadowrootmode=open>a</template>", "a"),
        # What a style says: of properties by their whole names, the last of each.
        ("<p style='backface-visibility: hidden'>a</p><p>b</p>", "a\n\nb"),
        ("<p style='-webkit-backface-visibility:hidden'>a", "a"),
        ("<p style='/*display:none*/color:red'>a", "a"),
        ("<p style='color:red/*;*/;display:none'>x<p style='/*display:none'>a", "a"),
        ("<p style='--x:display:none;--display:none'>a", "a"),
        ("<p style='display:none;display:block'>a", "a"),
        ("<p style='display:block;display:none'>x<p>a", "a"),
        ("<p style='display:none!important;display:block'>x<p>a", "a"),
        ("<p style='display:none ! IMPORTANT;display:block !important'>a", "a"),
        ("<p style='display:none;display:block!no;display:'>x<p>a", "a"),
        ("<p style='background:url(a;display:none;b)'>a", "a"),
        ("<p style='a:(b[c);display:none)'>a<p style='a:b);display:none'>x", "a"),
        ("<p style='content:\"display:none;'>a", "a"),
        ("<p style=\"font:'a;';display:none\">x<p>a", "a"),
        ("<p style='font:&quot;;display:none;&quot;'>a", "a"),
        ("<p style='content-visibility:hidden'>x</p>a", "a"),
        ("<p hidden style='display:block'>a", "a"),
        ("<dialog style='display:block'>a</dialog>", "a"),
        ("<ol style='--list-style:none'><li>a</ol>", "1. a"),
        ("<ol style='list-style:none;list-style-type:decimal'><li>a</ol>", "1. a"),
        ("<ol style='list-style-type:decimal;list-style:none'><li>a</ol>", "a"),
        # What is in an element that cannot be seen may say that it can.
        (
            "<div style=visibility:hidden>x<p style='visibility:visible'>a</p>x</div>b",
            "a\n\nb",
        ),
        (
            "<p style=visibility:hidden>x<b style=visibility:initial>a<i style="
            "visibility:collapse>x<u style=visibility:visible>b</u>x</i>c</b>x</p>d",
            "abc\n\nd",
        ),
        ("<p style=display:none>x<b style=visibility:visible>x</b></p>a", "a"),
        (
            "<p style=visibility:hidden>x<b hidden>x<i style=visibility:visible>x</i>"
            "</b><i style=visibility:visible>a</i>x",
            "a",
        ),
        ("<ol><li>a<li style=visibility:hidden>x<li>c</ol>", "1. a\n3. c"),
        (
            "<p style=visibility:hidden><math><mfrac><mi>x</mi><mi>y</mi></mfrac></p>a",
            "a",
        ),
        # Attributes, as the standard has them.
        (f"<a href=https://x.example/{'a' * 300}/hidden/page>link</a>", "link"),
        (f"<a title ={' ' * 30}hidden>a</a><b {'x' * 60}hidden>b", "ab"),
        ("<a 'hidden' \"hidden\" hidden2>a", "a"),
        ("<a href=x?q='>a</a><a href=\"x\"title='>'hidden>x</a>b", "ab"),
        # What a style strikes out.
        (
            "<span style='text-decoration:line-through'>99 <b>88</b></span> 79",
            "~~99 88~~ 79",
        ),
        ("<p style='text-decoration: red line-through'>a<p>b", "~~a~~\n\nb"),
        ("<i style='text-decoration-line:line-through'>a<s>b</s>c</i>d", "~~abc~~d"),
        ("<s>a<s>b</s>c</s>d<s>e", "~~ab~~cd~~e~~"),
        ("<s>a<i style=text-decoration:line-through>b</i>c</s>d", "~~abc~~d"),
        (
            "<i style='text-decoration:line-through;text-decoration:none'>a</i>"
            "<del style='text-decoration:none'>x</del>",
            "a",
        ),
        ("<table><td style=text-decoration:line-through>9<td>8</table>", "~~9~~\t8"),
    ],
)
def test_a_page_is_read_as_a_browser_shows_it(page, text):
    assert web_page.page_text(page) == text


def signs(*tokens):
    """Numbers and names of MathML."""
    return "".join(
        f"<mn>{one}</mn>" if one.isdigit() else f"<mi>{one}</mi>" for one in tokens
    )


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (f"<msubsup>{signs(*'x12')}</msubsup>", "x_(1)^(2)"),
        (f"<mroot>\n {signs('8', '3')}\n</mroot>", "root(3)(8)"),
        (f"<msqrt>{signs(*'ab')}</msqrt>", "√(ab)"),
        (
            f"<munderover><mo> ∑ </mo><mrow>{signs(*'i=1')}</mrow>{signs('10')}"
            f"</munderover>{signs('i')}",
            "∑_(i=1)^(10)i",
        ),
        (f"<munder><mo>lim</mo>{signs('n')}</munder>", "lim_(n)"),
        (f"<mover>{signs('x')}<mo>¯</mo></mover>", "x^(¯)"),
        (f"<mfenced>{signs('1', '2')}</mfenced>", "(1, 2)"),
        (
            f"<mfenced open='[' close=')' separators='; |'>{signs(*'1234')}</mfenced>",
            "[1; 2|3|4)",
        ),
        (f"<mfenced separators=''>{signs('1', '2')}</mfenced>", "(12)"),
        (
            f"<mmultiscripts>{signs('C')}<mprescripts/>{signs('6', '14')}"
            "</mmultiscripts>",
            "_(6)^(14)C",
        ),
        (
            f"<mmultiscripts>{signs(*'Ri')}<none/><none/>{signs(*'jk')}</mmultiscripts>",
            "R_(i)^(j)_(k)",
        ),
        (
            "<mtable>"
            + "".join(
                f"<mtr><mtd>{signs(a)}</mtd> <mtd>{signs(b)}</mtd></mtr>\n"
                for a, b in ("12", "34")
            )
            + "</mtable>",
            "[1, 2; 3, 4]",
        ),
        (
            "<mo>{</mo><mtable>"
            + "".join(
                f"<mtr><mtd>{signs(a)}</mtd><mtd><mo>=</mo>{signs(b)}</mtd></mtr>"
                for a, b in ("x1", "y3")
            )
            + "</mtable>",
            "{[x =1; y =3]",
        ),
        (f"<mfrac linethickness='0px'>{signs(*'nk')}</mfrac>", "(n) atop (k)"),
        (f"<mfrac linethickness='0.5px'>{signs(*'nk')}</mfrac>", "(n)/(k)"),
        (f"<mfrac>{signs(*'nkx')}</mfrac>", "nkx"),
        (f"<mfrac><mphantom>{signs('x')}</mphantom>{signs('2')}</mfrac>", "()/(2)"),
        (f"<mfrac><mphantom>{signs('x')}</mphantom><mn/></mfrac>", ""),
        (f"{signs('x')}<mtext> if &#x61; </mtext>{signs('y')}", "x if a y"),
        (f"{signs('sin')}<mo>&#x2061;</mo>{signs('x')}", "sin x"),
        (f"<mspace width=9>{signs('a')}</mrow></mfrac>{signs('b')}", "ab"),
    ],
)
def test_a_formula_of_a_page_is_written_in_a_line(inner, text):
    for begin, end in (("", ""), ("<p>so ", "</p>"), ("<s>", "</s>")):
        page = f"{begin}<math>{inner}</math>{end}"
        expected = f"{begin.removeprefix('<p>')}{text}".replace("<s>", "")
        if text and end == "</s>":
            expected = f"~~{text}~~"
        assert web_page.page_text(page) == expected.strip()
    prefixed = inner.replace("<", "<m:").replace("<m:/", "</m:")
    page = f"<?xml version='1.0'?><a>so <m:math>{prefixed}</m:math></a>"
    if "phantom" not in inner:  # which XML may mean otherwise
        assert web_page.page_text(page) == f"so {text}"


def test_a_formula_ends_where_the_text_goes_on():
    page = f"<li>so <math>{signs('x')}<p>b</p> c <math><msqrt>{signs('y')}"

    assert web_page.page_text(page) == "so x\n\nb\n\nc √(y)"


def test_what_cells_say_again_is_no_longer_than_the_page():
    page = "<table><tr><td rowspan=0>" + "x" * 400 + "<td>a" + "<tr><td>b" * 1000
    assert len(web_page.page_text(page)) < 2 * len(page)
    assert web_page.page_text(page).count("b") == 1000


@pytest.mark.parametrize(
    ("label", "encoding", "words"),
    [
        ("iso-8859-1", "cp1252", "Köln: 5 €"),
        ("windows-1251", "cp1251", "Пермь"),
        ("Shift_JIS", "cp932", "日本語"),
        ("gb2312", "gb18030", "中文"),
        ("iso-8859-9", "cp1254", "şehir"),
        ("iso-8859-1", "utf-8", "Köln"),
        ("x-unknown", "cp1252", "Köln"),
        ("iso-2022-jp", "iso-2022-jp", "日本語"),
    ],
)
def test_a_page_is_in_the_encoding_that_it_declares(label, encoding, words):
    for head in (
        f"<meta charset='{label}'>",
        f'<META http-equiv="Content-Type" content="text/html; charset={label}">',
    ):
        page = f"<html><head>{head}</head><body>{words}</body></html>"
        assert text_of(page.encode(encoding), "a.html") == words
    xml = f"<?xml version='1.0' encoding='{label}'?><a>{words}</a>"
    assert text_of(xml.encode(encoding), "a.xml") == words


def test_a_page_that_is_not_in_the_encoding_that_it_declares_is_refused():
    page = b"<html><meta charset=shift_jis>\n\xfc\xfc"

    with pytest.raises(TogetherError, match=r"not text in cp932, .*line 2"):
        text_of(page, "a.html")


def test_marks_of_where_a_word_may_break_are_left_out():
    assert text_of("Donau\u00addampf", "a.txt") == "Donaudampf"


def test_xml_is_read_tag_by_tag():
    page = "<?xml version='1.0'?><a><b>one</b><b>two</b><c><![CDATA[x < y]]></c></a>"

    assert text_of(page, "feed.xml") == "one two x < y"
    page = "<?xml version='1.0'?><feed><title>One</title><style>two</style></feed>"
    assert text_of(page, "feed.xml") == "One two"
    page = (
        "<svg><style>a{}</style><script>b()</script><text>c</text><text>d</text></svg>"
    )
    assert text_of(page, "a.svg") == "c d"
    assert text_of(f"<?xml version='1.0'?>{page}", "a.svg") == "c d"


def test_what_attributes_of_xml_say_is_read():
    page = (
        "<order Id='17' xmlns:a='urn:b' xml:lang='en' note=''><note by=\"A &amp; B\">hi"
        f"</note><line text='{'x' * 5000}'/><td rowspan='1'>y</td></order>"
    )
    read = f"Id='17' by=\"A & B\" hi text='{'x' * 5000}'\ty"

    assert text_of(f"<?xml version='1.0'?>{page}", "a.xml") == read
    xhtml = "<html xmlns='urn:x'><p id='a'>b</p></html>"
    assert text_of(f"<?xml version='1.0'?>{xhtml}", "a.xml") == "b"


@pytest.mark.parametrize(
    ("text", "name", "page"),
    [
        ("<!doctype html>x", None, True),
        ("\n<!-- saved -->\n<!-- from --> <HTML>x", None, True),
        ("<div class=a>x</div>", None, True),
        ("<div>x</div>", "part.html", True),
        ('<p align="center">A readme</p>', "README.md", False),
        ("<T> is a type", None, False),
        ("<!-- no end", None, False),
        ("if a < b:", "a.py", False),
        ("x", "a.htm", True),
        ("<svg><text>x</text></svg>", "a.svg", True),
        ("<rss version='2.0'>", "feed.xml", True),
        ("<html> is the first tag of a page", "tutorial.TXT", False),
        ("<!doctype html>x", "page.md", False),
        ("<html>x", "page.v2", True),
    ],
)
def test_a_page_is_told_by_its_beginning(text, name, page):
    assert web_page.is_page(text, name) is page


@pytest.mark.parametrize(
    ("path", "kind", "content", "text"),
    [
        (
            "a.php",
            "text/html; charset=utf-8",
            "<x-app><div>a &amp; b</div></x-app>",
            "a & b",
        ),
        ("a.php", "text/html", "A warning\n<!doctype html><p>a", "A warning\n\na"),
        ("a.php", "text/plain", "<div>a", "<div>a"),
        ("a.md", "text/html", "# a\n\n<p>b", "# a\n\n<p>b"),
        ("a.v2", "text/html", "1 < 2,\n3", "1 < 2,\n3"),
        ("a.v2", "text/html", '\n{"a": "<p>"}', '{"a": "<p>"}'),
    ],
)
def test_a_server_tells_which_of_its_files_are_pages(path, kind, content, text):
    with ByteServer() as server:
        headers = {"Content-Type": kind}
        server.things[f"/{path}"] = Thing(content.encode(), headers)
        auth = {**AUTH, "base_url": server.url}  # an address that may be fetched
        given = [{"url": f"{server.url}/{path}"}]
        found = split_documents(auth, given, size=10**6, overlap=0)

    assert [one["text"] for one in found["passages"]] == [text]


# --- other files -------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_a_text_is_read_in_the_encodings_of_editors(encoding):
    assert text_of("Dear Zoë, so".encode(encoding), "a.txt") == "Dear Zoë, so"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{\\rtf1\\ansi Dear\\par}", "RTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or protected Office file"),
        (zlib.compress(b"a", wbits=31), "gzip"),
        (docx('<w:altChunk r:id="r5"/>'), "in another format"),
        (archive("mimetype", "application/vnd.oasis.opendocument.text"), "odt"),
        (archive("mimetype", "application/epub+zip"), "EPUB"),
        (archive("notes.txt", "a"), "zip archive .'notes.txt'"),
        (
            "From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nYQ==",
            "e-mail",
        ),
        ("MIME-Version: 1.0\nContent-Type: multipart/related\n\n--x\n", "e-mail"),
        ("From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n", "e-mail"),
        ("To: a@b\nContent-Transfer-Encoding: BASE64\n\nYQ==", "e-mail"),
        ("%!PS-Adobe-3.0\n", "PostScript"),
        ("Привет".encode("cp1251"), "line 1"),
    ],
)
def test_what_cannot_be_read_says_what_it_is(data, problem):
    with pytest.raises(TogetherError, match=problem) as caught:
        text_of(data, "a")
    assert caught.value.problems[0]["field"] == "documents[0]"


def test_a_text_that_begins_as_an_archive_is_a_text():
    assert text_of("PKI in short", "a.txt") == "PKI in short"


def test_no_overlap_makes_passages_without_number():
    found = split_documents(AUTH, [document("a " * 5_000, "a")], size=100, overlap=99)

    assert found["count"] <= 4 * 10_000 / 100 + 1
