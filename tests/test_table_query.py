"""Questions to a table: numbers as people write them in CSV."""

import base64

import pytest

from scripts.table.table import Table
from scripts.table_query import Query, ask

AUTH = {"api_key": "tgp_query_0123456789"}


def table(*cells):
    lines = "\n".join(["id;amount", *(f"{n};{cell}" for n, cell in enumerate(cells))])
    return Table(
        AUTH, {"file": base64.b64encode(lines.encode()).decode(), "filename": "t.csv"}
    )


@pytest.mark.parametrize(
    ("cells", "total", "most"),
    [
        (("1,5", "1.234,50", "-1.000"), 236, 1234.5),
        (("1.5", "1,234.50", "1,000"), 2236, 1234.5),
        (("2,25", "1\u202f234,5", "+1 000"), 2236.75, 1234.5),
        (("2.25", "1'234.50"), 1236.75, 1234.5),
        (("10", "20"), 30, 20),
        (("1.234", "2.345"), 3.579, 2.345),
    ],
)
def test_numbers_are_read_by_the_sign_before_their_decimals(cells, total, most):
    found = ask(table(*cells), Query(measures=["sum amount", "max amount"]), 9)

    assert found["rows"] == [{"sum amount": total, "max amount": most}]
    assert found["words"] == []


@pytest.mark.parametrize("cells", [("1,234", "2,345"), ("1,5", "2.5"), ("1,5", "so")])
def test_what_may_be_two_numbers_is_told_as_none(cells):
    found = ask(table(*cells), Query(measures=["sum amount"]), 9)

    assert "no numbers and are left out" in found["words"][0]


def test_conditions_and_order_are_by_the_number_and_rows_stay_as_they_are():
    cells = ("9,50", "1.000,00", "20,00")

    found = ask(table(*cells), Query(where=["amount >= 20"], order="amount desc"), 9)
    assert [row["amount"] for row in found["rows"]] == ["1.000,00", "20,00"]
