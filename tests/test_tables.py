"""Tables as programs write them: each reads as what a person sees in it."""

import base64
import gzip
import json
import tracemalloc
from functools import partial

import pytest

from scripts.client import TogetherError
from scripts.files.read_rows import main as read_rows
from scripts.table import gzipped
from scripts.table.table import Flaw, Table, Template

AUTH = {"api_key": "tgp_tables_0123456789"}
TOWNS = [{"town": "Köln", "people": "1,1 Mio"}, {"town": "Évry", "people": "67 000"}]


def given(data, name="t.csv"):
    data = data if isinstance(data, bytes) else data.encode()
    return {"file": base64.b64encode(data).decode(), "filename": name}


def rows(data, name="t.csv"):
    return list(Table(AUTH, given(data, name)))


def whys(data, name="t.csv"):
    return [row.why for row in rows(data, name) if isinstance(row, Flaw)]


# --- encodings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_a_table_is_read_in_the_encodings_of_spreadsheets(encoding, capsys):
    text = "town;people\r\nKöln;1,1 Mio\r\nÉvry;67 000\r\n"

    assert rows(text.encode(encoding)) == TOWNS
    told = capsys.readouterr().err
    assert ("read as" in told) == (not encoding.startswith("utf-8"))


@pytest.mark.slow
def test_an_encoding_is_told_by_what_stands_far_behind(capsys):
    lines = "n,town\n" + "1,Bonn\n" * 400_000

    assert rows(f"{lines}2,Köln\n".encode("cp1252"))[-1] == {"n": "2", "town": "Köln"}
    assert rows(f"{lines}2,Köln\n".encode())[-1] == {"n": "2", "town": "Köln"}
    assert capsys.readouterr().err.count("Windows-1252") == 1


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_character_may_lie_on_two_blocks(cut):
    from scripts.table_files.encodings import texts

    data = "a,Ж,😀\n".encode()

    assert "".join(texts([data[:cut], data[cut:], data * 999])) == "a,Ж,😀\n" * 1000


@pytest.mark.parametrize(
    "data",
    [
        "id,text\n1,Привет\n".encode("cp1251"),
        "id,text\n1,中文表格\n".encode("gbk"),
        "id,text\n1,日本語\n".encode("shift-jis"),
        "id,text\n1,日本語のテキスト\n".encode("shift-jis"),
        b"id,text\n1,caf\xc3\xa9\n2,caf\xe9\n",
        "id,text\n1,Köln\n".encode("utf-16")[:-1],
    ],
)
def test_what_is_neither_is_refused_with_its_line(data):
    with pytest.raises(TogetherError, match=r"is not (whole )?text in UTF.*line \d"):
        rows(data)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "imię;miasto\nŁukasz;Łódź\nŻaneta;Gdańsk\n"),
        ("cp1250", "jméno;město\nJiří;Příbram\nŠtěpán;Ústí\n"),
        ("cp1250", "név;város\nErzsébet;Győr\nŐrs;Fűzfő\nÖdön;Pécs\n"),
        ("cp1250", "név\nGyőr\nPécs\nKovács\n"),
        ("cp1250", "nume;x\nIoana;Braşov\n"),
        ("cp1254", "ad;şehir\nIş\u0131l;Muğla\nÇağr\u0131;İstanbul\n"),
        ("cp1257", "vardas;miestas\nŽygimantas;Šiauliai\nRūta;Kėdainiai\n"),
        ("cp932", "名前,都市\n太郎,東京\n"),
        ("big5", "姓名,城市\n王,台北\n"),
        ("cp949", "이름,도시\n김,서울\n"),
        ("iso2022_jp", "名前,都市\n太郎,東京\n"),
        ("mac_roman", "town\nGräfenberg\nBäder\n"),
        ("mac_roman", "nombre\nJosé\nPeña\n"),
        ("cp850", "town\nKöln\nBäder\n"),
        ("cp850", "town\nOrléans\n"),
    ],
)
def test_another_code_page_is_not_read_as_western(encoding, text):
    with pytest.raises(TogetherError, match="UTF-8"):
        rows(text.encode(encoding))


@pytest.mark.parametrize(
    "text",
    [
        "nafn\nÞórður\nÁsdís\nGuðrún í Höfn\n",
        "nom\nl\u2019été où cœur\nÇa a été créé là-bas\n«À côté»\n",
        "nimi\nJüri Tõnu\nŠveits, žanr\n",
        "nimi\nHämäläinen\nšakki, Töölö\n",
        "nome\nConceição\nações e informações\n",
        "nome\nopiniões\nnúmero\npolítica\nPÕE\n",
        "nom\nsûr et goûté\nJOSÉ\npré-École\n",
        "nom\ncol·legi\nInstal·lació\n",
        "nombre\n¿Qué año?\nniño: ¡Hola!\n1º 2ª\n",
        "navn\nSørensen\nÆrø, Blåvand\n",
        "x\n5 m² ½ °C \u2013 „Größe“ …\nLego® £5 ±2 µm 50 €\n",
        "name\nFrançois Müller\nSeñor Łąka\n".replace("Łą", "La"),
    ],
)
def test_what_western_languages_write_is_read(text):
    head, *read = text.splitlines()

    assert rows(text.encode("cp1252")) == [{head: line} for line in read]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize(
    "text",
    [
        "\u0438\u043c\u044f,\u0433\u043e\u0440\u043e\u0434\n\u0418\u0432\u0430\u043d,\u041f\u0435\u0440\u043c\u044c\n",
        "姓名,城市\r\n张伟,北京\r\n",
    ],
)
def test_wide_characters_need_no_mark(encoding, text):
    head, row = (line.split(",") for line in text.split())

    assert rows(text.encode(encoding)) == [dict(zip(head, row, strict=True))]


def test_what_a_file_is_is_told_by_its_beginning_whatever_its_size():
    from scripts.table_files.encodings import BadTextError, texts

    data = b"\x02\x03" * (4 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(BadTextError, match="a binary file"):
            list(texts([data]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(data)


def test_zeros_in_ascii_make_no_wide_characters():
    assert rows(b"id,text\n1,\0\n2,\0\n") == [{"id": n, "text": "\ufffd"} for n in "12"]


# --- CSV ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,"b; c; d"\n1,2\n', {"a": "1", "b; c; d": "2"}),
        (
            "Cost (net, gross);Day\n3,50;Mon\n",
            {"Cost (net, gross)": "3,50", "Day": "Mon"},
        ),
        ("a\tb, c\n1\t2, 3\n", {"a": "1", "b, c": "2, 3"}),
        ("a|b\n1;2|3\n", {"a": "1;2", "b": "3"}),
        ("greeting\nhello, world\n", {"greeting": "hello, world"}),
        ('greeting\n"hello, world"\n', {"greeting": "hello, world"}),
        ("sep=|\r\na|b\r\n1|2\r\n", {"a": "1", "b": "2"}),
        ('"sep=\t"\na\tb\n1\t2\n', {"a": "1", "b": "2"}),
        ("\r\n \n,\na,b\n1,2\n", {"a": "1", "b": "2"}),
        ("a,b\r1,2\r3,4", {"a": "1", "b": "2"}),
        ("a, b\n1, 2\n", {"a": "1", "b": " 2"}),
        ('a, b\n1, "2, 3"\n', {"a": "1", "b": "2, 3"}),
        ('a,b\n1,"two\nlines, ""so"""\n', {"a": "1", "b": 'two\nlines, "so"'}),
        ("[a],b\n1,2\n", {"[a]": "1", "b": "2"}),
        ("a,b\n1,2,\n", {"a": "1", "b": "2"}),
        ("a,b\n1\n", {"a": "1", "b": None}),
        ("a,b,,\n1,2,,\n", {"a": "1", "b": "2"}),
        ("a,b,,\n1,2,3,\n", {"a": "1", "b": "2", "column_3": "3"}),
        ("a,,a,a\n1,2,3,4\n", {"a": "1", "column_2": "2", "a_2": "3", "a_3": "4"}),
        ("sep=;,,\na;b\n1;2\n", {"a": "1", "b": "2"}),
        ("a,b\tc,d\n1,2\t3,4\n", {"a,b": "1,2", "c,d": "3,4"}),
        ("a,b\r\r\n1,2\r\r\n", {"a": "1", "b": "2"}),
        ("a,b\n\ufeff1,2\n", {"a": "1", "b": "2"}),
        ("a,a_2,a\n1,2,3\n", {"a": "1", "a_2": "2", "a_3": "3"}),
        (",a,b\n,1,2\n", {"a": "1", "b": "2"}),
        (",a\n0,1\n", {"column_1": "0", "a": "1"}),
        (
            "Last, First\tAge\nDoe, J\t3\nRoe, K\n",
            {"Last, First": "Doe, J", "Age": "3"},
        ),
        ('a,b\nC:\\new,"said \\"no\\", so"\n', {"a": "C:\\new", "b": 'said "no", so'}),
        ('a,b\n"\\"","\\\\\\""\n', {"a": '"', "b": '\\"'}),
        ('a\tb\n"Best" one\t5" x\n"\t1\ny"\t2\n', {"a": '"Best" one', "b": '5" x'}),
        ('a|b\n" | ""x"|2\n', {"a": ' | "x', "b": "2"}),
        ('a,b\n" ""x"" y", 2\n', {"a": ' "x" y', "b": " 2"}),
        ("#tag\na, b\n", {"#tag": "a, b"}),
        ("kept\nx, y, z\na, b, c\n", {"kept": "x, y, z"}),
        ('sep= \na  b\n1  "2 3"\n', {"a": "1", "column_2": "", "b": "2 3"}),
        ('sep="\n1\n', {'sep="': "1"}),
        ("sep=\\\n1\n", {"sep=\\": "1"}),
    ],
)
def test_csv_is_read_as_it_is_seen(text, row):
    assert rows(text)[0] == row


def test_quotation_marks_in_a_table_with_tabs_swallow_no_rows():
    text = 'a\tb\n"Best" one\t1\n"\t2\nx\t3\ny"\t4\n'

    assert [row["b"] for row in rows(text)] == ["1", "2", "3", "4"]
    assert [row["b"] for row in rows('a\tb\n"\t1\nx\t2\n')] == ["1", "2"]
    text = 'a\tb\n"two\nlines"\t1\n"one"\t2\n'
    assert [row["a"] for row in rows(text)] == ["two\nlines", "one"]


@pytest.mark.parametrize(
    "text",
    [
        "Report 2024,,,\n,,,\nid,name,age,town\n1,Ann,30,Rome\n",
        "Report 2024\nof May\n\nid;name;age\n1;Ann;30\n2;Bo;40\n",
        "# made in May\nid,name\n1,Ann\n",
    ],
)
def test_a_title_above_the_names_is_refused(text):
    with pytest.raises(
        TogetherError, match=r"line 1 has one cell.* remove what stands"
    ):
        rows(text)


def test_the_names_once_more_are_no_row():
    assert whys("id,name\n1,Ann\nid,name\n2,Bo\n") == [
        "line 3 names the columns once more: remove it"
    ]
    assert rows("yes\nno\nyes\n") == [{"yes": "no"}, {"yes": "yes"}]


def test_a_broken_record_names_all_its_lines():
    """A quotation that another one closes takes the rows between them with it."""
    text = 'a,b\n1,"2\n3,4\n5,"6"\n7,8\n'

    assert "lines 2 to 4 are not CSV" in whys(text)[0]
    assert rows(text)[-1] == {"a": "7", "b": "8"}


def test_where_no_row_can_be_read_the_reason_is_told_before_names():
    with pytest.raises(TogetherError, match="cannot be read: line 1 is not JSON"):
        Table(AUTH, given("{'a': 1}\n", "t.jsonl")).require(["a"], "template")


def test_rows_of_nothing_are_no_rows():
    assert rows("a,b\n1,2\n,\n ,\t\n\n3,4\n,\n\x1a") == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
    ]


@pytest.mark.parametrize("text", [",,\n,,\n", ";\n\n", '"",""\n'])
def test_a_table_of_delimiters_alone_has_no_rows(text):
    with pytest.raises(TogetherError, match="holds no row"):
        rows(text)


def test_what_a_file_is_filled_up_with_is_no_row():
    assert rows(b"a,b\n1,2\n" + bytes(512)) == [{"a": "1", "b": "2"}]


def test_very_many_columns_of_one_name_are_kept_apart():
    head = ",".join(["x", "x_2", ""] * 10_000)

    (row,) = rows(f"{head}\n{head}y\n")
    assert list(row.values()) == f"{head}y".split(",")


def test_a_quotation_that_is_not_closed_is_named_before_anything_is_sent():
    text = 'a,b\n1,2\n2,"three\n' + "4,5\n" * 900

    with pytest.raises(TogetherError, match="line 3 opens a quotation") as caught:
        Table(AUTH, given(text))
    assert caught.value.ambiguous is False


def test_a_quotation_that_is_not_closed_far_behind_is_a_flaw():
    read = rows("a,b\n" + "1,2\n" * 500 + '2,"three\n' + "4,5\n" * 900)

    assert len(read) == 501
    assert "line 502 opens a quotation" in read[-1].why


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a,b\n1,"2"3\n4,5\n', "line 2 is not CSV: a closed quotation"),
        ("a,b\n1,2\r3\n4,5\n", "line 2 is not CSV: it holds a line break"),
        ("a,b\n1,2,3\n4,5\n", "line 2 has more cells than columns"),
    ],
)
def test_a_line_that_is_no_csv_is_named_and_the_next_is_read(text, problem):
    assert [problem in why for why in whys(text)] == [True]
    assert rows(text)[-1] == {"a": "4", "b": "5"}


def test_a_header_that_is_no_csv_does_not_make_the_next_line_one():
    with pytest.raises(TogetherError, match="line 1 is not CSV"):
        rows('"a"x,b\n1,2\n')


@pytest.mark.slow
def test_a_cell_is_as_long_as_a_picture_and_not_longer():
    cell = "x" * (12 << 20)

    assert rows(f"a,b\n1,{cell}\n") == [{"a": "1", "b": cell}]
    with pytest.raises(TogetherError, match="line 2 has a cell of more than 16 Mi"):
        rows('a,b\n1,"' + cell + cell)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_from_the_first_however_many_are_blank(end):
    lines = [*[""] * 70_000, '{"a": 1}', "nope", '{"a": 2}']

    assert whys(end.join(lines), "t.jsonl") == ["line 70002 is not JSON"]


def part_of(data, start, line):
    """The rows of a part that begins at that byte and line of some JSON Lines."""
    part = {"number": 2, "of": 2, "rows": 9, "head": 0, "start": start, "line": line}
    part |= {"end": len(data), "size": len(data), "csv": None, "kept": "storage"}
    return list(Table(AUTH, {"rows": given(data, "t.jsonl"), "part": part}))


@pytest.mark.parametrize("blank", [0, 3, 70_000])
def test_a_part_names_its_lines_by_their_numbers_in_the_table(blank):
    before = b'{"a": 1}\n' * 4
    data = before + b"\n" * blank + b'{"a": "caf\xc3\xa9"}\nnope\n'
    assert part_of(data, len(before), 5)[-1].why == f"line {blank + 6} is not JSON"

    with pytest.raises(TogetherError, match=f"UTF-8: line {blank + 7} "):
        part_of(data + b'{"a": "caf\xe9"}\n', len(before), 5)


def test_a_line_without_an_end_is_not_held(monkeypatch):
    monkeypatch.setattr("scripts.table_files.table_file.ROW_CHARACTERS", 1 << 20)

    with pytest.raises(TogetherError, match="line 2 is longer"):
        rows("a,b\n" + "x" * (3 << 20))
    with pytest.raises(TogetherError, match="line 1 is longer"):
        rows("x" * (3 << 20))


# --- JSON --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[{"a": 1}, {"a": "]"}]', "t.json"),
        ('[\n{"a": 1}\n,\n{"a": "]"}\n]\n', "t.csv"),
        ('{"a": 1}\n{"a": "]"}\n', "t.csv"),
        ('{"a": 1}\r{"a": "]"}', "t.jsonl"),
        ('{"rows": [{"a": 1}, {"a": "]"}]}', "t.json"),
        ('{\n "data": [\n  {"a": 1},\n  {"a": "]"}\n ]\n}\n', "t.json"),
    ],
)
def test_json_is_told_by_its_content(text, name):
    assert rows(text, name) == [{"a": 1}, {"a": "]"}]


def test_an_object_over_several_lines_is_a_row():
    assert rows('{\n "a": 1,\n "b": [2]\n}\n', "t.json") == [{"a": 1, "b": [2]}]


@pytest.mark.parametrize(
    "text",
    [
        '{\n "a": 1\n}\n{\n "a": 2\n}\n',
        '{\n "a": 1}\n{"a": 2}',
        '{"a": 1},\n{"a": 2},\n',
    ],
)
def test_objects_may_follow_one_another_over_several_lines(text):
    assert rows(text, "t.json") == [{"a": 1}, {"a": 2}]
    with pytest.raises(TogetherError, match="row 2"):
        rows(text.replace("2", "}"), "t.json")


def test_an_object_that_holds_a_list_may_be_meant_as_the_list(capsys):
    assert rows('{"items": [{"a": 1}]}') == [{"a": 1}]
    assert rows('{"n": 2, "items": [{"a": 1}, {"a": 2}]}')[0]["n"] == 2
    assert "give its list 'items' alone" in capsys.readouterr().err
    talk = '{"messages": [{"role": "user"}, {"role": "assistant"}], "n": 1}'
    assert len(rows(talk)) == 1
    assert not capsys.readouterr().err
    with pytest.raises(TogetherError, match="holds no row"):
        rows('{"rows": []}', "t.json")


def test_json_lines_that_hold_rows_are_rows():
    text = '{"rows": [{"a": 1}]}\n{"rows": [{"a": 2}]}\n'

    assert rows(text) == [{"rows": [{"a": 1}]}, {"rows": [{"a": 2}]}]


@pytest.mark.slow
def test_items_of_a_list_may_be_longer_than_a_block():
    items = [{"n": n, "text": '\\" ] } é' * (n % 7) * 90_000} for n in range(20)]
    items += [[], "text", 12, None]

    read = rows(json.dumps(items, ensure_ascii=False), "t.json")

    assert read[:20] == items[:20]
    assert read[21] == {"text": "text"}
    assert [r.why for r in read if isinstance(r, Flaw)] == [
        f"row {n} is no object" for n in (21, 23, 24)
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"a": 1}, {"a": 2}', "it is cut off"),
        ('[{"a": 1}, {"a": ', "row 2"),
        ('[{"a": 1} {"a": 2}]', "behind row 1"),
        ('[{"a": 1},]', "row 2"),
        ('[{"a": 1}]]', "more behind"),
        ("[" * 9_000, "nested too deeply"),
        ("[]", "holds no row"),
    ],
)
def test_a_list_that_is_no_json_is_refused(text, problem):
    with pytest.raises(TogetherError, match=problem):
        rows(text, "t.json")


def test_rows_hold_what_a_result_can(capsys):
    text = (
        '{"a": NaN, "b": -1e999, "c": [1.5, Infinity]}\n'
        '{"a": "x\\u0000", "\\ud83d": {"b": ["\\udc00"]}}\n'
        '{"a": "\\ud83d\\ude00", "b": 9007199254740993}\n'
    )
    wanted = [
        {"a": "NaN", "b": "-Infinity", "c": [1.5, "Infinity"]},
        {"a": "x\ufffd", "\ufffd": {"b": ["\ufffd"]}},
        {"a": "😀", "b": "9007199254740993"},
    ]

    assert rows(text, "t.jsonl") == wanted
    assert rows(f"[{','.join(text.splitlines())}]", "t.json") == wanted
    assert list(Table(AUTH, [json.loads(row) for row in text.splitlines()])) == wanted
    assert rows("a\nx\0y\n") == [{"a": "x\ufffdy"}]
    assert "was replaced" in capsys.readouterr().err


def test_nesting_is_bounded():
    deep = "[" * 5_000 + "]" * 5_000

    assert whys(f'{{"a": {deep}}}\n{{"a": 1}}\n') == ["line 1 is not JSON"]


# --- other files -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\n <!DOCTYPE HTML><title>Share</title>", "web page"),
        (b"<html>", "web page"),
        (b"<table>\n<tr>\n<td>a</td>\n", "web page or XML"),
        (b"<?xml version='1.0'?>\n<a>\n<b/>\n</a>", "web page or XML"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "old or protected Office file and no table",
        ),
        (b"%PDF-1.7\n%", "PDF"),
        (b"PAR1aaaaPAR1", "Parquet"),
        (b"{\\rtf1 a\n}", "RTF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "image/png"),
        (b"7z\xbc\xaf\x27\x1c\0\n\0", "7-Zip"),
        (b"SQLite format 3\0\n\0", "SQLite"),
        (b"a\n\x02\x03\x04\x05", "a binary file"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n")), "application/gzip"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
        (b"\xef\xbb\xbf", "holds no row|0 bytes"),
        (b"id,text\n", "holds no row"),
    ],
)
def test_what_is_no_table_is_named(data, words):
    with pytest.raises(TogetherError, match=words):
        rows(data)


def test_a_table_in_markdown_is_refused_and_dashes_are_cells():
    with pytest.raises(TogetherError, match="Markdown"):
        rows("| id | text |\n|----|:---:|\n| 1  | a    |\n")
    with pytest.raises(TogetherError, match="Markdown"):
        rows("id | text\n--- | ---\n1 | a\n")
    for text in (
        "+----+---+\n| id | t |\n+----+---+\n|  1 | a |\n+----+---+\n",
        " id | text\n----+------\n  1 | a\n(1 row)\n",
    ):
        with pytest.raises(TogetherError, match="drawn with lines"):
            rows(text)
    assert rows("id|text\n-|-\n") == [{"id": "-", "text": "-"}]
    assert rows("id,text\n--,---\n") == [{"id": "--", "text": "---"}]


def test_the_first_text_of_json_lines_is_no_header():
    assert rows('"x"\n"y"\n', "t.jsonl") == [{"text": "x"}, {"text": "y"}]
    assert whys("1\n2\n", "t.ndjson") == ["line 1 is no object", "line 2 is no object"]
    assert rows('"x"\n"y"\n', "t.csv") == [{"x": "y"}]
    assert rows("id,text\n1,a\n", "t.jsonl") == [{"id": "1", "text": "a"}]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b"a,b\n1,2\n3,4\n",
        b'[{"a": 1}]',
        b"a,b\n" + (b"1," + b"2" * 60 + b"\n") * 10**4,
    ],
)
def test_a_table_may_be_compressed_with_gzip(content):
    packed = gzip.compress(content)
    half = len(content) // 2
    members = gzip.compress(content[:half]) + gzip.compress(content[half:])

    assert rows(packed) == rows(members) == rows(members + b"\0" * 20) == rows(content)


@pytest.mark.parametrize("cut", [12, 30, -9, -1])
def test_gzip_that_is_cut_off_is_told(cut):
    packed = gzip.compress(b"".join(b"%d,%d\n" % (n, n * n) for n in range(50)))
    with pytest.raises(TogetherError, match="gzip and cut off"):
        rows(packed[:cut])


def test_what_gzip_unpacks_to_is_bounded():
    bomb = gzip.compress(bytes(9 << 20))
    refused = partial(TogetherError.refused, "rows")
    with pytest.raises(TogetherError, match="more than 8 MiB once it is unpacked"):
        list(gzipped.unpacked([bomb], refused, 8 << 20))
    pieces = list(gzipped.unpacked([bomb], refused))
    assert sum(map(len, pieces)) == 9 << 20
    assert max(map(len, pieces)) <= gzipped.PIECE
    with pytest.raises(TogetherError, match="broken"):
        list(gzipped.unpacked([b"\x1f\x8b" + b"x" * 50], refused))


def test_read_rows_names_the_lines():
    with pytest.raises(TogetherError, match=r"rows\[1\] line 3 is not CSV"):
        read_rows(AUTH, given('a,b\n1,2\n3,"4"5\n'))


# --- templates ---------------------------------------------------------------------


def test_blanks_around_a_column_s_name_count_for_nothing():
    template = Template("{{ a }}-{{a}}-{{ b.c }}-{{}}-{{ }}")

    assert template.columns == ["a", "a", "b.c"]
    assert template.fill({" a": 1, "b": {"c": "x"}}) == "1-1-x-{{}}-{{ }}"
    with pytest.raises(KeyError, match="a"):
        template.fill({"A": 1})


def test_columns_that_are_not_there_are_refused_with_those_that_are():
    with pytest.raises(TogetherError, match="columns are: ' x', y"):
        Table(AUTH, [{" x": 1, "y": 2}]).require(["z"], "template")


def test_accents_that_stand_apart_are_the_same_name():
    template = Template("{{\u00e9t\u00e9}}")
    (row,) = rows("e\u0301te\u0301\n1\n")

    assert template.fill(row) == "1"
    assert list(row) == ["e\u0301te\u0301"]


def test_a_blank_answer_column_is_refused():
    with pytest.raises(TogetherError, match=r"Answer column .* is blank"):
        Table(AUTH, [{"a": 1}]).keep_free(" ")


def test_a_json_array_is_read_without_being_held(tmp_path):
    """One item after the other, as lines are."""
    file = tmp_path / "rows.json"
    item = json.dumps({"text": "a" * 200, "n": [1, 2, 3]})
    file.write_text(f"[{','.join([item] * 20_000)}]")
    tracemalloc.start()
    try:
        count = sum(1 for _ in Table(AUTH, file))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count == 20_000
    assert peak < file.stat().st_size  # its values alone would be three times that


@pytest.mark.parametrize("blank", ["\v,\v", "\u00a0,\u3000", "\x1c", "\v\x1a", " \x85"])
def test_a_line_of_blanks_of_any_kind_names_no_column(blank):
    assert rows(f"{blank}\na,b\n1,2\n") == [{"a": "1", "b": "2"}]


def test_a_second_mark_of_byte_order_is_no_part_of_a_name():
    """A tool wrote one before a text that had one."""
    found = read_rows(AUTH, "\ufeff\ufeffa,b\n1,\ufeffx\n")

    assert found["rows"] == [{"a": "1", "b": "\ufeffx"}]
    with pytest.raises(TogetherError, match="no row"):
        read_rows(AUTH, "\ufeff\ufeff\n")


@pytest.mark.parametrize("text", ['sep=\t\n"abc\n', 'sep=;\n"\\""\n'])
def test_a_named_sign_and_nothing_but_a_quotation_are_no_table(text):
    with pytest.raises(TogetherError) as caught:
        rows(text)

    assert caught.value.problems[0]["field"] == "rows"
