"""Excel workbooks: a cell is what Excel shows, of the first sheet that is seen."""

import base64
import io
import zipfile

import pytest

from scripts.client import TogetherError
from scripts.documents import workbook as workbook_module
from scripts.table.table import Table

AUTH = {"api_key": "tgp_workbooks_0123456789"}
HEAD = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="00000"/>'
    '<numFmt numFmtId="165" formatCode="[$-407]d. mmm yyyy\\ hh:mm"/>'
    '<numFmt numFmtId="166" formatCode="#,##0.00 &quot;dry&quot;;[Red]-0"/>'
    '<numFmt numFmtId="167" formatCode="[h]:mm"/>'
    '<numFmt numFmtId="168" formatCode="hh:mm:ss.000"/>'
    '<numFmt numFmtId="169" formatCode="USD #,##0"/>'
    '<numFmt numFmtId="170" formatCode="0.00 CHF"/>'
    '<numFmt numFmtId="171" formatCode="Standard"/>'
    '<numFmt numFmtId="172" formatCode="[HH]:MM:SS"/>'
    '<numFmt numFmtId="173" formatCode="[H]:mm:ss"/>'
    '<numFmt numFmtId="174" formatCode="[Mm]:SS"/>'
    '<numFmt numFmtId="175" formatCode="[SS].00"/>'
    '<numFmt numFmtId="176" formatCode="DD.MM.YYYY"/>'
    '<numFmt numFmtId="177" formatCode="HH:MM AM/PM"/>'
    '<numFmt numFmtId="178" formatCode="&quot;on;&quot; dd.mm.yyyy;@"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="20"/><xf numFmtId="164"/><xf numFmtId="165"/>'
    '<xf numFmtId="166"/><xf numFmtId="167"/><xf numFmtId="22"/>'
    '<xf numFmtId="168"/><xf numFmtId="169"/><xf numFmtId="170"/><xf numFmtId="171"/>'
    + "".join(f'<xf numFmtId="{n}"/>' for n in range(172, 179))
    + "</cellXfs></styleSheet>"
)


def workbook(rows, texts="", sheets=None, properties="", main="xl/workbook.xml"):
    """A workbook whose sheets are {name: (state, rows)}; rows alone are of one."""
    sheets = sheets or {"Sheet1": ("visible", rows)}
    listed = related = ""
    for number, (name, (state, _)) in enumerate(sheets.items(), 1):
        listed += f'<sheet name="{name}" state="{state}" r:id="s{number}"/>'
        related += (
            f'<Relationship Id="s{number}" Type="{HEAD}/worksheet" '
            f'Target="worksheets/sheet{number}.xml"/>'
        )
    related += f'<Relationship Id="t" Type="{HEAD}/sharedStrings" Target="texts.xml"/>'
    related += f'<Relationship Id="y" Type="{HEAD}/styles" Target="/xl/styles.xml"/>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Id="r" Type="{HEAD}/officeDocument" '
            f'Target="{main}"/></Relationships>',
        )
        archive.writestr(
            main,
            f"<workbook><workbookPr {properties}/><sheets>{listed}</sheets></workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f"<Relationships>{related}</Relationships>"
        )
        archive.writestr("xl/texts.xml", f"<sst>{texts}</sst>")
        archive.writestr("xl/styles.xml", STYLES)
        for number, (_, content) in enumerate(sheets.values(), 1):
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f"<worksheet><sheetData>{content}</sheetData></worksheet>",
            )
    return buffer.getvalue()


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as found:
        for name, content in members.items():
            found.writestr(name, content)
    return buffer.getvalue()


def text(content, place=""):
    return f'<c {place} t="inlineStr"><is><t>{content}</t></is></c>'


def number(content, style=0, kind="n", place=""):
    return f'<c {place} s="{style}" t="{kind}"><v>{content}</v></c>'


def row(*cells):
    return f"<row>{''.join(cells)}</row>"


def read(data):
    given = {"file": base64.b64encode(data).decode(), "filename": "t.xlsx"}
    return list(Table(AUTH, given))


def shown(cell, **more):
    """What one cell is read as."""
    head = row(text("a"), text("b"))
    (found,) = read(workbook(head + row(cell), **more))
    return found["a"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (number("12"), 12),
        (number("12.0"), 12),
        (number("0.30000000000000004"), 0.3),
        (number("1E+20"), 1e20),
        (number("12345678901234567890"), "12345678901234567890"),
        (number("1234", 3), "01234"),
        (number("45415", 1), "2024-05-03"),
        (number("45415.25", 1), "2024-05-03T06:00:00"),
        (number("0.39583333333333331", 2), "09:30:00"),
        (number("45415.396006944444", 4), "2024-05-03T09:30:15"),
        (number("59", 1), "1900-02-28"),
        (number("61", 1), "1900-03-01"),
        (number("1.5", 6), "36:00:00"),
        *((number("1.5", style), "36:00:00") for style in (12, 13, 14, 15)),
        (number("45415", 16), "2024-05-03"),
        (number("0.5", 17), "12:00:00"),
        (number("45415", 18), "2024-05-03"),
        (number("-3.5", 5), -3.5),
        (number("9e99", 1), 9e99),
        (number("1", kind="b"), True),
        (number("#N/A", kind="e"), "#N/A"),
        (number("made &amp; up", kind="str"), "made & up"),
        (number("1", kind="s"), "so long"),
        (number("true", kind="b"), True),
        (number("NaN"), "NaN"),
        (number("-1", 1), -1),
        (number("1e400"), "1e400"),
        (number("0.123456", 8), "02:57:46.598"),
        *((number("1234.5", style), 1234.5) for style in (9, 10, 11)),
        ('<c t="s"/>' + number("7"), None),
        ('<c t="inlineStr"><v>in v</v></c>', "in v"),
        ('<c t="str"><is><t>in is</t></is></c>', "in is"),
        ('<c t="str"><f>""</f><v></v></c>' + number("7"), None),
        ("<c><v>5</v><extLst><v>9</v></extLst></c>", 5),
        (text("_x000D_a_x0000_b_xD83D_"), "\na\ufffdb\ufffd"),
        *(
            (text(f"a{one}b"), "a\nb")
            for one in (
                "_x000D_\n",
                "_x000d__x000a_",
                "&#13;\n",
                "&#13;_x000A_",
                "&#13;",
            )
        ),
        (text("a\n_x000D_\nb_x005F_x000D_"), "a\n\nb_x000D_"),
    ],
)
def test_a_cell_is_what_excel_shows(cell, value):
    texts = "<si><t>other</t></si><si><r><t>so </t></r><r><t>long</t></r>"
    texts += "<rPh><t>no</t></rPh></si>"

    found = shown(cell, texts=texts)

    assert (found, type(found)) == (value, type(value))


def counted(value, more=""):
    return f"<c><f>1-1</f><v>{value}</v></c>{more}"


def test_formulas_that_no_program_has_counted_are_no_zeros():
    """XlsxWriter writes 0 for each and leaves it to Excel, Java's POI 0.0."""
    later = '/><calcPr fullCalcOnLoad="1"'

    for cell, properties in ((counted(0), later), (counted("0.0"), "")):
        with pytest.raises(TogetherError, match=r"formula without its value .row 2"):
            shown(cell, properties=properties)
    assert shown(counted(0)) == 0
    assert shown(counted(7, counted(0)), properties=later) == 7


def test_days_may_be_counted_from_1904():
    assert shown(number("43953", 1), properties='date1904="1"') == "2024-05-03"


def test_cells_stand_where_their_place_says():
    rows = row(text("a"), text("b"), text("c")) + "<row/>"
    rows += row(text("third", 'r="C3"')) + row(number(1), number(2), number(3))

    assert read(workbook(rows)) == [
        {"a": None, "b": None, "c": "third"},
        {"a": 1, "b": 2, "c": 3},
    ]


def test_the_first_sheet_that_is_seen_is_read(capsys):
    one, two = (row(text("a")) + row(number(n)) for n in (1, 2))
    sheets = {"Old": ("hidden", one), "New": ("visible", two)}

    assert read(workbook("", sheets=sheets)) == [{"a": 2}]
    assert "'New', one of 2" in capsys.readouterr().err


def test_a_sheet_without_a_cell_is_passed_over(capsys):
    blank = row(text(" ")) + row("<c/>")
    sheets = {"Blank": ("visible", blank)}
    sheets |= {"Data": ("visible", row(text("a")) + row(number(1)))}

    assert read(workbook("", sheets=sheets)) == [{"a": 1}]
    assert "'Data', one of 2" in capsys.readouterr().err


def test_cells_that_are_only_formatted_are_no_columns():
    rows = row(text("a")) + row(number(1), '<c r="XFD2" s="1"/>')

    assert read(workbook(rows)) == [{"a": 1}]


def test_names_in_an_archive_differ_in_case_and_slashes():
    data = workbook(row(text("a")) + row(number(1)))

    for there, other in (
        ("xl/worksheets/", "xl/Worksheets/"),
        ("xl/texts", "xl\\Texts"),
    ):
        # In the header of the member and in the list at the end.
        found = data.replace(there.encode(), other.encode())
        assert read(found) == [{"a": 1}]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            lambda: workbook(row(text("a")) + row("<c><f>1+1</f></c>")),
            "its value .row 2",
        ),
        (
            lambda: workbook("").replace(b"sheets/sheet1", b"sheets/other1"),
            "is missing",
        ),
        (
            lambda: archive(
                {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}
            ),
            "ods",
        ),
        (lambda: archive({"Index/Document.iwa": ""}), "Apple"),
        (lambda: archive({"a.csv": "a,b"}), "zip archive .'a.csv'"),
        (lambda: workbook(row(text("a")))[:-40], "damaged Excel workbook"),
        (lambda: workbook(row(text("a"))), "holds no row"),
        (lambda: workbook(row(text("a")) + "<row><c>"), "is damaged"),
        (lambda: workbook("", main="word/document.xml"), "no Excel workbook"),
        (lambda: workbook("", main="xl/workbook.bin"), "xlsb"),
        (lambda: workbook("", sheets={"S": ("hidden", "")}), "without a sheet"),
        (lambda: workbook(row(number("9", kind="s"))), "text that is not there"),
        (lambda: workbook(row(text("a", 'r="XFD1"'))), "more than 2000 columns"),
    ],
)
def test_what_cannot_be_read_says_why(data, problem):
    with pytest.raises(TogetherError, match=problem) as caught:
        read(data())
    assert caught.value.problems[0]["field"] == "rows"


def test_sheets_without_a_cell_unfold_together_to_no_more(monkeypatch):
    monkeypatch.setattr("scripts.documents.workbook.SHEET_BYTES", 8 << 20)
    blank = " " * (3 << 20)
    sheets = {f"S{n}": ("visible", blank) for n in range(9)}

    with pytest.raises(TogetherError, match="unpacks to more than"):
        read(workbook("", sheets=sheets))


def test_a_workbook_that_unfolds_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("scripts.documents.workbook.SHEET_BYTES", 1 << 20)

    with pytest.raises(TogetherError, match="unpacks to more than 1 MiB"):
        read(workbook(row(text("a")) + row(text("x" * 40)) * 100_000))


def merged(rows, *places):
    cells = "".join(f'<mergeCell ref="{place}"/>' for place in places)
    return f"{rows}</sheetData><mergeCells>{cells}</mergeCells><sheetData>"


def test_a_cell_over_several_rows_is_that_of_each(capsys):
    """Only of rows that have something else; the header's reach no row."""
    rows = (
        row(text("region"), text("city"), text("n"))
        + row(text("North"), text("Kiel"), number(1))
        + row(text("", 'r="A3"'), text("Bremen", 'r="B3"'), number(2))
        + row(text("", 'r="A4"'))
        + row(text("Bonn", 'r="B5"'))
        + row(text("South"), text("Ulm"), number(3))
        + row(text("Graz", 'r="B7"'), text("x"))
    )
    found = read(workbook(merged(rows, "A1:A2", "A2:A5", "C3:C5", "B6:C6")))
    assert [tuple(one.values()) for one in found] == [
        ("North", "Kiel", 1),
        ("North", "Bremen", 2),
        ("North", "Bonn", 2),
        ("South", "Ulm", 3),
        (None, "Graz", "x"),
    ]
    assert "merged over several rows" in capsys.readouterr().err


@pytest.mark.parametrize("pad", [0, 1, 40, 190])
def test_cells_that_are_merged_are_found_wherever_the_sheet_is_cut(monkeypatch, pad):
    monkeypatch.setattr(workbook_module, "PIECE_BYTES", 230)
    rows = row(text("a"), text("b"))
    for n in range(20):
        rows += row(text(f"{n}"), number(n)) + row(number(n, place=f'r="B{2 * n + 3}"'))
    rows += f"<!--{'x' * pad}-->"
    found = read(workbook(merged(rows, *(f"A{n}:A{n + 1}" for n in range(2, 42, 2)))))
    assert [one["a"] for one in found] == [str(n // 2) for n in range(40)]


def test_what_merged_cells_add_to_other_rows_is_bounded(monkeypatch):
    monkeypatch.setattr(workbook_module, "REPEATED_CHARACTERS", 1000)
    rows = row(text("a"), text("b")) + row(text("x" * 100), text("1"))
    rows += row("<c/>", text("2")) * 10

    assert len(read(workbook(merged(rows, "A2:A12")))) == 11
    rows += row("<c/>", text("2"))
    with pytest.raises(TogetherError, match="merged cells that fill other rows"):
        read(workbook(merged(rows, "A2:A13")))


def test_hidden_rows_are_read_and_told(capsys):
    rows = row(text("a")) + f'<row hidden="1">{text("x")}</row>' + row(text("y"))
    assert [one["a"] for one in read(workbook(rows))] == ["x", "y"]
    assert capsys.readouterr().err.count("rows that are hidden") == 1
    rows = f'</sheetData><cols><col hidden="1"/></cols><sheetData>{rows}'
    assert len(read(workbook(rows))) == 2
    assert "columns that are hidden" in capsys.readouterr().err


def test_a_title_above_the_names_is_refused_and_a_margin_is_no_column():
    names = row(text("id", 'r="B3"'), text("name"), text("age"))
    values = row(number(1, place='r="B4"'), text("Ann"), number(30))

    assert read(workbook(names + values)) == [{"id": 1, "name": "Ann", "age": 30}]
    with pytest.raises(TogetherError, match=r"line 1 has one cell.* stands above"):
        read(workbook(row(text("Report", 'r="A1"')) + names + values))
