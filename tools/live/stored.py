"""What goes to the workspace's object storage, and comes from there; and Parquet, whose
library a worker gets from the package registry by the steps' lock."""

import base64

from tools.live.agent_flows import begin, ended, script
from tools.live.checks import Subject, expect
from tools.live.flow_runs import MODEL, rows
from tools.live.stage import Stage
from tools.models import model

# A Parquet file of the rows below.
PARQUET = base64.b64decode(
    b"UEFSMRUEFSAVIEwVBBUAEgAABAAAAE9zbG8EAAAAUm9tZRUAFRIVEiwVBBUQFQYVBgAAAgAAAAQB"
    b"AQMCFQQVIBUgTBUEFQASAAAMAAAAAAAAAAcAAAAAAAAAFQAVEhUSLBUEFRAVBhUGAAACAAAABAEB"
    b"AwIZEgIZGARPc2xvGRgEUm9tZRUCGRYAKSYABAAZEgIZGAgHAAAAAAAAABkYCAwAAAAAAAAAFQIZ"
    b"FgApJgAEABkcFkQVNBYAABkWEAAZHBa0ARU0FgAAABUCGTxIDGFycm93X3NjaGVtYRUEABUMJQIY"
    b"BGNpdHklAEwcAAAAFQQlAhgEc29sZAAWBBkcGSwmABwVDBk1AAYQGRgEY2l0eRUAFgQWcBZwJkQm"
    b"CBw2ACgEUm9tZRgET3NsbxERABksFQAVEBUCABUEFQAVAgA8FhApJgAEAAAW5AIVGhboARU2ACYA"
    b"HBUEGTUABhAZGARzb2xkFQAWBBZwFnAmtAEmeBwYCAwAAAAAAAAAGAgHAAAAAAAAABYAKAgMAAAA"
    b"AAAAABgIBwAAAAAAAAAREQAZLBUAFRAVAgAVBBUAFQIAPDkmAAQAABb+AhUWFp4CFUYAFuABFgQm"
    b"CBbgARQAACgZcGFycXVldC1ycyB2ZXJzaW9uIDU5LjAuMBksHAAAHAAAACkBAABQQVIx"
)
CITIES = [{"city": "Oslo", "sold": 12}, {"city": "Rome", "sold": 7}]


def rows_go_to_storage_and_come_back(stage: Stage) -> str:
    stage.needs_storage()
    given = {"model": MODEL, "template": "Repeat {{text}}", "rows": rows(5)}
    stored = stage.run("chat/map_rows", {**given, "output": "storage"}).succeeded()
    expect("s3" in stored, f"nothing was stored: {str(stored)[:300]}")
    again = stage.run("files/read_rows", {"rows": {"s3": stored["s3"]}}).succeeded()
    count = len(again["rows"])
    expect(count == 5, f"{count} of 5 rows came back")
    return f"5 rows by way of {stored['s3']}"


def a_picture_goes_to_storage(stage: Stage) -> str:
    stage.needs_storage()
    given = {"model": model("image"), "prompt": "A lighthouse"}
    done = stage.run("images/create_picture", {**given, "output": "storage"})
    result = done.succeeded()
    keys = [p["s3"] for p in result.get("pictures", [])] or [result["s3"]]
    return f"stored as {', '.join(keys)}"


def a_film_goes_to_storage(stage: Stage) -> str:
    stage.needs_storage()
    words = {"model": model("video"), "prompt": "A boat", "output": "storage"}
    result = stage.run_flow("make_video", **words).succeeded()
    expect("s3" in result, f"nothing was stored: {str(result)[:300]}")
    return f"stored as {result['s3']}"


def an_analyst_counts_in_a_table_of_storage(stage: Stage) -> str:
    stage.needs_storage()
    given = {"model": MODEL, "template": "Repeat {{text}}", "rows": rows(5)}
    stored = stage.run("chat/map_rows", {**given, "output": "storage"}).succeeded()
    name = stored["s3"].rsplit("/", 1)[-1]
    asked = script([("query_table", {"table": name, "measures": ["count"]})])
    job = begin(stage, "analyse_tables", question=asked, tables=[{"s3": stored["s3"]}])
    result = ended(stage, job, "analyse_tables").succeeded()
    (call,) = result["calls"]
    expect("5 of 5 rows match" in call["result"], f"it gave {call['result'][:500]}")
    return f"counted 5 rows in {name}"


def rows_are_read_from_parquet(stage: Stage) -> str:
    path = "/sandbox/objects/cities.parquet"
    stage.sandbox.objects[path] = "application/octet-stream", PARQUET
    given = {"file": stage.sandbox.url + path, "output": "result"}
    rows = stage.run("files/read_parquet", given).succeeded()["rows"]
    expect(rows == CITIES, f"its rows are {rows}")
    return "2 rows, by the library that the lock brings"


def rows_go_to_parquet_and_come_back(stage: Stage) -> str:
    stage.needs_storage()
    stored = stage.run("files/write_parquet", {"rows": CITIES}).succeeded()
    given = {"file": {"s3": stored["s3"]}, "output": "result"}
    rows = stage.run("files/read_parquet", given).succeeded()["rows"]
    expect(rows == CITIES, f"its rows are {rows}")
    return f"2 rows by way of {stored['s3']}"


SUBJECT = Subject(
    "storage",
    (
        rows_go_to_storage_and_come_back,
        a_picture_goes_to_storage,
        a_film_goes_to_storage,
        an_analyst_counts_in_a_table_of_storage,
        rows_are_read_from_parquet,
        rows_go_to_parquet_and_come_back,
    ),
)
