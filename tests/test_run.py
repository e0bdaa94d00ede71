"""./dev run: local files, what is kept between runs, dry runs, what a person sees."""

import base64
import io
import json
import os
import pty
import re
import subprocess
import sys
from unittest import mock

import pytest
from rich.console import Console

from scripts.charts import bars
from tests.support.command_line import tool
from tests.support.expected_request import main_of
from tools.cli.plain_numbers import written
from tools.cli.shown import show
from tools.cli.terminal import for_a_person
from tools.flows.flow_run import shown as decided_on
from tools.flows.pack_flows import readable
from tools.local.example_things import stage
from tools.local.examples import NEEDS, example_of, needs
from tools.local.fake_workspace import Workspace
from tools.local.local_files import with_files
from tools.models import model
from tools.operations import ROOT, find, operations, steps
from tools.sandbox import Sandbox, picture, tone

ASK = {"template": "Say {{a}}"}


@pytest.fixture
def table(tmp_path):
    place = tmp_path / "rows.csv"
    place.write_text("a,b\n1,2\n")
    return place


@pytest.mark.parametrize("way", ["args", "file"])
def test_a_file_of_this_machine_is_an_argument(way, table):
    given = {**ASK, "rows": f"@{table}"} if way == "args" else ASK
    words = ["--args", json.dumps(given)]
    words += ["--file", f"rows={table}"] if way == "file" else []
    done = tool("run", "chat/map_rows", *words)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"][0]["b"] == "2"
    assert "stored given/" not in done.stderr


def test_files_go_to_lists_and_bodies_and_texts_get_their_content(tmp_path):
    place = tmp_path / "note.txt"
    place.write_text("hello")
    members = find("chat/ask_model").arguments
    stored = {"s3": "given/note.txt"}

    def given(args, *named):
        return with_files(args, list(named), members, lambda path: stored)

    assert given({}, f"prompt={place}") == {"prompt": "hello"}
    assert given({}, f"pictures={place}") == {"pictures": [stored]}
    assert given({"pictures": ["@x.png"]}) == {"pictures": [stored]}
    assert given({"prompt": "@ada: hello"}) == {"prompt": "@ada: hello"}
    body = find("files/upload_file").arguments
    assert with_files({}, ["body.file=x"], body, lambda path: stored)["body"] == {
        "file": stored
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--file", "rows"], "give NAME=PATH"),
        (["--file", "row=x.csv"], "no argument row; there are: "),
        (["--file", "rows=/nowhere.csv"], "/nowhere.csv: No such file"),
        (["--workspace", "tests"], "holds other things"),
        (["--workspace", "dev"], "--workspace dev is a file"),
        (["--storage", "dev"], "--storage dev is a file"),
        (["--fast"], "--fast is for flows: chat/map_rows is a step"),
        (["--key-env", "EMPTY"], "EMPTY is not set, or is empty: export EMPTY=..."),
    ],
)
def test_files_that_are_none_are_refused_in_words(words, said):
    done = tool("run", "chat/map_rows", *words, EMPTY="")

    assert done.returncode == 2
    assert said in done.stderr


def test_a_trigger_fires_the_second_time_with_a_kept_workspace(
    sandbox, lifecycles, auth, tmp_path
):
    words = ["run", "triggers/batch_finished", "--base-url", sandbox.url]
    words += ["--args", "{}", "--workspace", str(tmp_path / "kept")]
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    line = json.dumps({"custom_id": "1", "body": asked}) + "\n"
    file = sandbox.store_file("in.jsonl", line.encode(), "batch-api")["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions"}
    batch = main_of(find("create_batch"))(auth, body=body)["job"]["id"]

    first = tool(*words)
    lifecycles.advance(86400)
    second = tool(*words)
    third = tool(*words)

    assert json.loads(first.stdout) == []
    assert [one["batch_id"] for one in json.loads(second.stdout)] == [batch]
    assert json.loads(third.stdout) == []
    index = json.loads((tmp_path / "kept" / "index.json").read_text())
    assert "f/togetherai/triggers/batch_finished/user" in index["resources"]


def test_what_a_run_stored_is_found_by_the_next(tmp_path):
    kept = ["--workspace", str(tmp_path / "kept")]
    given = json.dumps({"text": "Hello", "output": "storage"})
    stored = json.loads(tool("run", "speak_text", "--args", given, *kept).stdout)
    given = json.dumps({"recording": {"s3": stored["s3"]}})
    done = tool("run", "transcribe_recording", "--args", given, *kept)

    assert done.returncode == 0, done.stderr
    given = json.dumps({"recording": {"s3": "windmill_uploads/none"}})
    assert tool("run", "transcribe_recording", "--args", given, *kept).returncode == 1


def test_a_dry_run_shows_the_lines_of_a_batch(table):
    given = json.dumps({**ASK, "rows": f"@{table}", "model": "some/model"})
    done = tool("run", "batches/submit_rows", "--args", given, "--dry-run")

    sent = json.loads(done.stdout)
    assert done.returncode == 0
    (lines,) = [one["body"] for one in sent if isinstance(one["body"], list)]
    assert lines[0]["body"]["messages"][-1]["content"] == "Say 1"
    assert sent[-1]["url"].endswith("/v1/batches")
    assert "dry-run" not in done.stdout


@pytest.mark.parametrize("given", [{"path": "a"}, {"s3": "none.png"}])
def test_a_dry_run_does_not_hide_what_is_wrong(given):
    given = json.dumps({"prompt": "What is this?", "pictures": [given]})
    done = tool("run", "chat/ask_model", "--args", given, "--dry-run")

    assert done.returncode == 1
    assert "pictures[0]" in done.stderr


def shown(result, folder):
    out = io.StringIO()
    show(result, folder, "step", Console(file=out, width=100))
    return out.getvalue()


def test_a_person_sees_tables_and_gets_files(tmp_path):
    png, wav = picture("a"), tone()
    chart = bars("Spent", [("a", 1)])
    rows = [{"name": "Ada", "n": 1}, {"name": "[red]Bob", "n": None}]
    result = {
        "wm_renderer": "png",
        "png": {"content": base64.b64encode(png).decode(), "filename": "x.png"},
        "sound": f"data:audio/wav;base64,{base64.b64encode(wav).decode()}",
        "svg": chart,
        "rows": rows,
        "cost_usd": 0.5,
    }
    text = shown(result, tmp_path)

    assert (tmp_path / "step.png").read_bytes() == png
    assert (tmp_path / "step.wav").read_bytes() == wav
    assert (tmp_path / "step.svg").read_text() == chart
    assert f"wrote {tmp_path / 'step.png'}".replace("\n", "") in text.replace("\n", "")
    assert "│ [red]Bob │" in text
    assert '"cost_usd": 0.5' in text
    assert base64.b64encode(png).decode()[:40] not in text
    shown({"again": base64.b64encode(png + b"1").decode()}, tmp_path)
    assert (tmp_path / "step-1.png").read_bytes() == png + b"1"
    assert (tmp_path / "step.png").read_bytes() == png


def test_a_person_sees_neither_the_stream_again_nor_the_code_of_an_error_in_words():
    error = {"name": "TogetherError", "message": "no", "stack": "line 1"}

    assert for_a_person({"text": "a", "wm_stream": "a"}, True) == {"text": "a"}
    assert for_a_person({"wm_stream": "a"}, False) == {"wm_stream": "a"}
    said = {"name": "TogetherError", "message": "no"}
    assert for_a_person({"error": error}, False) == {"error": said}
    fault = {"error": {**error, "name": "KeyError"}}
    assert for_a_person(fault, False) == fault


def test_long_tables_and_vectors_are_cut_for_a_person(tmp_path):
    rows = [{"n": number} for number in range(80)]

    assert "50 of 80 rows" in shown({"rows": rows}, tmp_path)
    assert "... 768 numbers" in shown({"vector": [0.5] * 768}, tmp_path)
    assert '"a": "b"' in shown({"a": "b"}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_small_numbers_have_no_exponent_and_texts_stay_as_they_are(tmp_path):
    result = {
        "cost_usd": 1.935e-05,
        "rows": [{"cost_usd": 2e-06, "say": 'a "b": 3e-05 \\'}],
        "say": '"cost_usd": 1e-05',
        "tiny": [5e-300, -2.5e-7],
        "large": 1e30,
    }
    text = shown(result, tmp_path)

    assert '"cost_usd": 0.00001935' in text
    assert "│ 0.000002 │" in text
    assert "3e-05" in text
    assert json.loads(written(result)) == result
    assert "-0.00000025" in written(result)
    assert '\\"cost_usd\\": 1e-05' in written(result)


def test_a_flow_runs_with_a_line_a_step_and_no_waiting(table):
    given = json.dumps({**ASK, "model": model("chat")})
    words = ["--args", given, "--file", f"rows={table}", "--fast"]
    done = tool("run", "flows/run_batch", *words)

    assert done.returncode == 0, done.stderr
    assert "  batches/submit_rows: done in " in done.stderr
    assert "  skipping " in done.stderr
    assert json.loads(done.stdout)["rows"][0]["b"] == "2"


def test_a_flow_that_fails_is_red_and_its_step_is_named():
    asked = {"template": "{{c}}", "model": model("chat")}
    given = json.dumps({"rows": {"text": "a,b\n1,2\n"}, **asked})
    words = ["run", "run_batch", "--fast", "--args", given]
    done = tool(*words)

    assert done.returncode == 1
    assert "  batches/submit_rows: failed: " in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_a_flow_that_lacks_an_argument_is_not_begun():
    done = tool("run", "flows/run_batch", "--fast", "--args", '{"template": "{{a}}"}')

    assert done.returncode == 2
    assert "flows/run_batch needs model, rows; see --help" in done.stderr
    assert "  rows, required: " in done.stderr
    assert "  template, required: " not in done.stderr
    assert "batches/submit_rows" not in done.stderr


def test_a_flow_without_arguments_is_answered_with_those_it_takes(sandbox):
    done = tool("run", "flows/draw_rows", "--base-url", sandbox.url)

    assert done.returncode == 2
    assert "  template, required: Prompt\n" in done.stderr
    assert 'An example: --args \'{"model": ' in done.stderr
    assert not sandbox.requests


def test_a_flow_without_arguments_is_tried_with_its_least_example():
    done = tool("run", "flows/analyse_tables", "--fast")

    assert done.returncode == 0, done.stderr
    assert "no --args: the least example" in done.stderr
    (call,) = json.loads(done.stdout)["calls"]
    assert call["ok"], call
    assert json.loads(call["arguments"]) == {"table": "s3:///shop/orders.csv"}


def test_a_flow_with_an_agent_runs_in_the_sandbox():
    given = json.dumps({"question": "What is running?"})
    done = tool("run", "flows/keep_models", "--fast", "--args", given)

    assert done.returncode == 0, done.stderr
    assert "  agent/list_work: done in " in done.stderr


def test_a_flow_of_a_real_service_is_asked_about(sandbox):
    words = ["run", "flows/run_batch", "--base-url", sandbox.url, "--args"]
    given = {**ASK, "model": model("chat"), "rows": {"text": "a\n1\n"}}
    done = tool(*words, json.dumps(given))

    assert done.returncode == 2
    assert "may cost money" in done.stderr
    assert not sandbox.requests


def test_an_approval_is_shown_with_what_there_is_to_decide_on():
    done = tool("run", "flows/fine_tune_model", "--fast")

    assert "no answer" in done.stderr  # as nobody is at a terminal
    before, _, _ = done.stderr.partition("an approval is asked for")
    assert "\n  Train " in before
    assert re.search(r"\n  - estimated cost usd: [\d.]+\n", before)
    assert "**" not in before


def test_a_person_who_is_asked_sees_first_what_is_asked():
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"n\n")
    words = [sys.executable, "-m", "tools", "run", "flows/fine_tune_model", "--fast"]
    done = subprocess.run(
        words, cwd=ROOT, stdin=terminal, capture_output=True, text=True, timeout=120
    )
    os.close(keyboard)
    os.close(terminal)

    facts, question, _ = done.stderr.partition("  Approve? [y/N] ")
    assert question
    assert "  - estimated cost usd: " in facts


def test_marks_of_markdown_are_none_at_a_terminal():
    ask = main_of(find("waits/ask_approval"))
    with Workspace() as workspace, mock.patch.dict(os.environ, workspace.environment):
        links = ask({}, "Train a_b *now*?", {"model": "x[1]_y", "cost_usd": 5.42})

    assert decided_on(links) == [
        "Train a_b *now*?",
        "- model: x[1]_y",
        "- cost usd: 5.42",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["chat/create_chat_completion", "--args", '{"model": "x"}'],
            'model is a member of body: write {"body": {"model": ...}}',
        ),
        (
            ["chat/create_chat_completion", "--args", '{"model": 1, "messages": []}'],
            'members of body: write {"body": {"messages": ..., "model": ...}}',
        ),
        (["ask_model", "--prompt", "Hi"], """write --args '{"prompt": "Hi"}'"""),
        (["ask_model", "--prompt=Hi you"], """write --args '{"prompt": "Hi you"}'"""),
        (["ask_model", "prompt=Hi"], "single quotes around all"),
    ],
)
def test_arguments_in_another_place_are_told_where_they_go(words, said):
    done = tool("run", *words)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_file_that_is_no_json_is_named(tmp_path):
    place = tmp_path / "bad.json"
    place.write_text("prompt")
    done = tool("run", "ask_model", "--args", str(place))

    assert done.returncode == 2
    assert f"--args: {place} is no JSON: " in done.stderr
    assert "single quotes" not in done.stderr


def test_the_help_says_where_files_of_a_result_go():
    text = tool("run", "--help").stdout

    assert "written to the\ncurrent folder, as STEP.png" in text
    assert "a folder of this machine, no workspace of" in text


# --- the examples ------------------------------------------------------------------


def examples(kind):
    """(id, 0 or -1, example) of each example that --help shows."""
    found = {"operations": operations, "steps": steps, "flows": readable}[kind](ROOT)
    for one in found:
        shown = example_of(one)
        yield one, 0, shown[0]
        if len(shown) > 1:
            yield one, -1, shown[-1]


@pytest.mark.slow  # as each is a job
@pytest.mark.parametrize("kind", ["steps", "flows"])
def test_every_example_of_a_help_runs_in_the_embedded_sandbox(kind):
    failed, done_all_the_same = {}, []
    for one, number, example in examples(kind):
        fast = ["--fast"] if kind == "flows" else []
        done = tool("run", one.id, *fast, "--args", json.dumps(example))
        if needs(one, number) is None and done.returncode:
            failed[one.id, number] = done.stderr.splitlines()[-1]
        if needs(one, number) and not done.returncode:
            done_all_the_same.append((one.id, number))

    assert failed == {}
    assert done_all_the_same == []


def test_what_needs_something_is_an_example_that_there_is():
    there = {
        (one.id, n)
        for kind in ("operations", "steps", "flows")
        for one, n, _ in examples(kind)
    }

    assert NEEDS.keys() <= there


def test_what_an_example_needs_stands_beside_it():
    text = tool("run", "waits/poll_job", "--help").stdout
    least, most = text.split("  ./dev run waits/poll_job")[1:]

    assert "(needs a job whose deadline is not over" in most
    assert "needs" not in least


@pytest.mark.parametrize(
    "step",
    [
        "agent/query_table",
        "agent/read_document",
        "chat/call_tools",
        "chat/watch_calls",
        "chat/brief_agent",
        "files/list_folder",
        "files/split_table",
        "triggers/metric_over_limit",
        "waits/watch_flow",
    ],
)
def test_what_an_example_speaks_of_is_put_there(step):
    done = tool("run", step)

    assert done.returncode == 0, done.stderr
    assert "stored shop/" not in done.stderr  # it is not the job's


def test_what_was_put_there_for_an_example_is_not_kept(tmp_path):
    kept = tmp_path / "kept"
    own = ["--workspace", str(kept), "--args", '{"table": "s3:///shop/orders.csv"}']
    done = tool("run", "agent/query_table", *own)

    assert done.returncode == 0, done.stderr
    assert [place.name for place in kept.iterdir()] == ["index.json"]


def test_an_object_of_one_s_own_is_not_taken_for_the_example_s(tmp_path):
    with Workspace() as workspace, Sandbox() as sandbox:
        workspace.put("shop/orders.csv", b"mine")
        step, said = find("agent/query_table"), []
        given = {"table": "s3:///shop/orders.csv"}
        stage(given, step, workspace, sandbox, {}, said.append)

        assert workspace.content("shop/orders.csv") == b"mine"
        assert said == []


def test_nothing_of_the_examples_is_put_there_for_another_service(sandbox):
    given = json.dumps({"table": "s3:///shop/orders.csv"})
    done = tool("run", "agent/query_table", "--args", given, "--base-url", sandbox.url)

    assert done.returncode == 1
    assert "Object at location shop/orders.csv not found" in done.stderr
