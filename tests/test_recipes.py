"""Every recipe runs as its page has it, from beginning to end: through the file that
one imports, with real transforms, against the sandbox and real local servers."""

import csv
import datetime
import io
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler

import pytest
import yaml

from tests.support.canned_chat import say
from tests.support.fake_windmill_api import Remote
from tests.support.mail_server import MailServer
from tests.support.postgres import postgres, programs
from tests.support.windmill_cli import install, wmill
from tools.cli.command_line import parser_of
from tools.commands import run as run_command
from tools.flows.flow_engine import Engine, Run
from tools.flows.pack_flows import flows
from tools.flows.raw_scripts import run_raw
from tools.local.fake_workspace import TOKEN, Workspace
from tools.local.job_runner import run as run_job
from tools.local.server_thread import handling
from tools.models import model
from tools.operations import ROOT, find
from tools.pages.node import PLACE
from tools.pages.recipes import PAGES, SCRIPTS, recipes
from tools.sandbox import Fault

pytestmark = pytest.mark.slow

RECIPES = {one.name: one for one in recipes()}


def page_of(name):
    return (ROOT / PAGES / f"{name}.md").read_text()


def said_to_give(name):
    """What the page says that comes of it."""
    return json.loads(page_of(name).split("in short,\n\n```json\n")[1].split("```")[0])


@pytest.fixture
def start(workspace, lifecycles, auth):
    """Runs a recipe from the file that one imports."""
    engine = Engine(workspace, auth, lifecycles.advance)

    def begin(name, *, approve=False, **arguments):
        flow = yaml.safe_load((ROOT / PAGES / f"{name}.flow.yaml").read_text())
        assert set(arguments) <= set(flow["schema"]["properties"]), name
        path = f"f/mine/{name}"
        engine.add(path, flow["value"])
        if approve:
            engine.decide = lambda links: urllib.request.urlopen(
                urllib.request.Request(links["resume"], b"{}")
            )
        run: Run = engine.start_at(path, **arguments)
        engine.work()
        return run

    begin.engine = engine
    return begin


@pytest.fixture
def posted():
    """What is posted to a web server of this machine, and its address."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            got.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with handling(Handler) as url:
        yield got, f"{url}/hook"


def echoes(sandbox, answer=lambda text: f"You said: {text}"):
    """Let the model answer by a function of the last message."""

    def reply(body, whole):
        text = body["messages"][-1]["content"]
        whole["choices"][0]["message"] = {"role": "assistant", "content": answer(text)}
        return whole

    say(sandbox, reply)


def category(text):
    return "payment" if "Charged" in text else "delivery"


def test_each_is_listed_and_tried_here():
    index = page_of("README")
    assert f"\n{len(RECIPES)} whole flows and a program to take" in index
    assert len(SCRIPTS) == 1
    for name in (*RECIPES, *SCRIPTS):
        assert f"]({name}.md)" in index
        assert any(test.startswith(f"test_{name}_") for test in globals()), name


def test_classify_csv_writes_a_table_for_spreadsheets(start, sandbox, workspace):
    echoes(sandbox, category)

    run = start("classify_csv", **RECIPES["classify_csv"].source["try"])

    assert run.result == said_to_give("classify_csv")
    text = workspace.content(run.result["s3"]).decode("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(text))) == [
        {
            "comment": "The parcel came late",
            "category": "delivery",
            "category_error": "",
        },
        {"comment": "Charged twice", "category": "payment", "category_error": ""},
    ]


def test_failover_answers_with_the_next_model(start, sandbox):
    echoes(sandbox)
    fault = Fault("/v1/chat/completions", 404, times=1)
    sandbox.faults.append(fault)

    run = start("failover")

    assert run.result["text"] == "You said: Why is the sky blue?"
    assert run.result["fallback_from"] == model("chat")
    assert run.result["model"] == said_to_give("failover")["model"]
    assert fault.times == 0


TRIED = [name for name, one in RECIPES.items() if "try" in one.source]


@pytest.mark.parametrize("name", TRIED)
def test_the_command_of_a_page_gives_what_the_page_shows(name, capsys):
    (command,) = re.findall(r"^    \./dev (run .*)$", page_of(name), re.M)
    arguments = parser_of().parse_args(shlex.split(command))

    assert run_command.run(arguments) == 0

    result, wanted = json.loads(capsys.readouterr().out), said_to_give(name)
    assert {word: result[word] for word in wanted} == wanted


def test_some_are_tried_among_them_the_first_that_one_is_told_of():
    assert "failover" in TRIED
    assert "./dev run recipes/failover --fast" in page_of("README")


def test_failover_says_when_the_first_one_answered(start, sandbox):
    echoes(sandbox)

    run = start("failover")

    assert "fallback_from" not in run.result
    assert run.result["model"] == model("chat")


def test_chat_bot_with_history_remembers_each_chat(start, sandbox, workspace, posted):
    got, url = posted
    seen = []

    def answer(body, whole):
        seen.append([one["content"] for one in body["messages"][1:]])
        text = f"You said: {seen[-1][-1]}"
        whole["choices"][0]["message"] = {"role": "assistant", "content": text}
        return whole

    say(sandbox, answer)
    words = {"chat": "C1", "message": "Where is my parcel?", "post_to": url}

    run = start("chat_bot_with_history", **words)
    assert run.result == said_to_give("chat_bot_with_history")
    start("chat_bot_with_history", **{**words, "message": "$var:u/ada/secret"})
    start("chat_bot_with_history", **{**words, "chat": "C2"})

    assert got[0] == said_to_give("chat_bot_with_history")
    assert seen[1] == ["Where is my parcel?", got[0]["text"], " $var:u/ada/secret"]
    assert seen[2] == ["Where is my parcel?"]
    kept = [
        path for path in workspace.resources if path.startswith("f/togetherai/chat_")
    ]
    assert len(kept) == 2


def test_picture_to_mail_sends_the_picture_that_is_stored(start, workspace):
    with MailServer() as server:
        run = start(
            "picture_to_mail",
            prompt="A lighthouse\nat dawn",
            to="ada@example.com",
            smtp={"host": "127.0.0.1", "port": server.port},
        )

        assert run.outcome == "success", run.result
        (mail,) = server.mails
    wanted = said_to_give("picture_to_mail")
    assert run.result["mailed_to"] == wanted["mailed_to"] == mail["To"]
    assert run.result.keys() == wanted.keys()
    assert mail["Subject"] == "A lighthouse at dawn"
    (attached,) = mail.iter_attachments()
    (stored,) = (key for _, key in workspace.objects if key.endswith(".png"))
    assert attached.get_content() == workspace.content(stored)
    assert attached.get_filename() == run.result["picture"]


def test_meeting_to_notes_writes_a_page(start, sandbox, workspace):
    task = {"task": "Order tyres", "who": "Ada", "due": "Friday"}
    found = {"title": "Monday", "summary": "We met.", "decisions": ["Go on."]}
    found |= {"action_items": [task], "open_questions": []}
    say(sandbox, json.dumps(found))
    workspace.put("monday.mp3", b"ID3" + bytes(2000))

    run = start("meeting_to_notes", recording={"s3": "monday.mp3"})

    assert run.result == said_to_give("meeting_to_notes")
    text = workspace.content(run.result["s3"]).decode()
    assert text.startswith("# Monday\n\nWe met.\n\n## Decisions\n\n- Go on.\n")
    assert "- [ ] Order tyres (Ada, Friday)\n" in text
    assert "Open questions" not in text


def test_fine_tune_from_sheet_trains_what_was_approved(
    start, sandbox, workspace, lifecycles
):
    rows = "".join(f"What is {n}?,It is {n}.\n" for n in range(12))
    workspace.put("faq.csv", f"question,answer\n{rows}".encode())
    sheet = {"s3": "faq.csv"}

    run = start(
        "fine_tune_from_sheet", sheet=sheet, model=model("fine_tuning"), approve=True
    )

    assert run.outcome == "success", run.result
    assert run.result["trained"] is said_to_give("fine_tune_from_sheet")["trained"]
    assert len(lifecycles["fine-tune"].lives) == 1
    (text,) = (
        t for about, t in sandbox.files.values() if about["purpose"] == "fine-tune"
    )
    assert len(text.splitlines()) == 12
    assert json.loads(text.splitlines()[0])["messages"][-1]["content"] == "It is 0."


def test_fine_tune_from_sheet_trains_nothing_that_nobody_approved(
    start, workspace, lifecycles
):
    workspace.put("faq.csv", b"question,answer\n" + b"What is it?,It is.\n" * 12)

    run = start(
        "fine_tune_from_sheet", sheet={"s3": "faq.csv"}, model=model("fine_tuning")
    )

    assert run.result["trained"] is False
    assert not lifecycles["fine-tune"].lives


def test_spending_alarm_tells_a_period_once(start, sandbox, posted):
    got, url = posted
    limit = {"limit_usd": 100, "post_to": url}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    items = [{"product_name": "tokens", "cost": "123.45"}]
    sandbox.answers["list_billing_usage"] = lambda _: {
        "data": [{"date": today, "line_items": items}],
        "next_cursor": None,
    }

    runs = [start("spending_alarm", **limit) for _ in range(3)]

    assert all(run.outcome == "success" for run in runs)
    assert len(got) == 1
    (wanted,) = said_to_give("spending_alarm")
    assert got[0]["text"] == wanted["text"].replace("2026-11", today[:7])


@pytest.fixture(scope="module")
def database():
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL on this machine: Debian's package is `postgresql`")
    with postgres(place) as resource:
        yield resource


def sql(database, text):
    success, result = run_raw(
        {"language": "postgresql", "content": text}, {"database": database}, {}
    )
    assert success, result
    return result


def test_nightly_batch_to_database_fills_what_is_empty(start, sandbox, database):
    psql = {"PGHOST": "127.0.0.1", "PGPORT": str(database["port"]), "PGUSER": "test"}
    table = "CREATE TABLE tickets (id int, comment text, category text)"
    subprocess.run(
        ["psql", "-Xq", "-d", "postgres", "-c", table],
        env={**os.environ, **psql},
        check=True,
    )
    sql(
        database,
        "INSERT INTO tickets VALUES (1, 'It''s late', NULL), (2, '$res:u/x', 'praise'),"
        " (3, 'Charged; twice', NULL) RETURNING id",
    )
    echoes(sandbox, category)

    run = start("nightly_batch_to_database", database=database)

    assert run.outcome == "success", run.result
    wanted = said_to_give("nightly_batch_to_database")
    assert {name: run.result[name] for name in wanted} == wanted
    assert sql(database, "SELECT id, category FROM tickets ORDER BY id") == [
        {"id": 1, "category": "delivery"},
        {"id": 2, "category": "praise"},
        {"id": 3, "category": "payment"},
    ]
    # Nothing is new: nothing is asked, and nothing paid.
    asked = len(sandbox.requests)
    again = start("nightly_batch_to_database", database=database)
    assert again.outcome == "success"
    assert len(sandbox.requests) == asked


def pdf(*pages):
    """A PDF with a line of text on each page."""
    count = len(pages)
    kids = " ".join(f"{3 + n} 0 R" for n in range(count))
    font = 3 + 2 * count
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {count}>>",
    ]
    for n in range(count):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]"
            f"/Contents {3 + count + n} 0 R/Resources<</Font<</F1 {font} 0 R>>>>>>"
        )
    for text in pages:
        stream = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET"
        objects.append(f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream")
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    head = f"xref\n0 {size}\n0000000000 65535 f \n"
    end = f"{head}{table}trailer\n<</Size {size}/Root 1 0 R>>"
    return out + f"{end}\nstartxref\n{len(out)}\n%%EOF\n".encode()


@pytest.fixture(scope="module")
def pypdf(tmp_path_factory):
    """What Windmill installs for the recipe, of the locked version."""
    place = tmp_path_factory.mktemp("packages")
    lock = str(ROOT / "recipes" / "requirements.lock")
    words = ["install", "-q", "--require-hashes", "--no-deps", "--target", str(place)]
    subprocess.run([sys.executable, "-m", "pip", *words, "-r", lock], check=True)
    return str(place)


@pytest.mark.slow
def test_ask_a_pdf_cites_the_page(start, sandbox, workspace, pypdf, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", pypdf)
    workspace.put(
        "contracts/lease.pdf",
        pdf("The rent is 900 a month.", "The notice period is three months."),
    )
    wanted = said_to_give("ask_a_pdf")

    def answer(body, whole):
        text = body["messages"][-1]["content"]
        assert "three months" in text
        said = {"answer": wanted["answer"], "cited": [1]}
        whole["choices"][0]["message"] = {
            "role": "assistant",
            "content": json.dumps(said),
        }
        return whole

    say(sandbox, answer)

    run = start(
        "ask_a_pdf",
        pdf={"s3": "contracts/lease.pdf"},
        question="What is the notice period?",
    )

    assert run.outcome == "success", run.result
    assert {name: run.result[name] for name in wanted} == wanted


@pytest.mark.slow
def test_ask_a_pdf_of_pictures_says_so(start, workspace, pypdf, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", pypdf)
    workspace.put("scan.pdf", pdf(""))

    run = start("ask_a_pdf", pdf={"s3": "scan.pdf"}, question="What?")

    assert "scan.pdf holds no text" in run.error["message"]


def test_call_from_typescript_shows_the_file_that_runs():
    code = page_of("call_from_typescript").split("```ts\n")[1].split("```")[0]
    assert code == (ROOT / PAGES / "ask.ts").read_text()


DRIVE = """
import { readFileSync, writeFileSync } from "node:fs";
import { transformWithOxc } from "vite";
const [source, place, address] = process.argv.slice(2);
const { code } = await transformWithOxc(readFileSync(source, "utf8"), "ask.ts");
writeFileSync(place, code);
const { ask, run } = await import(place);
const windmill = { url: address, workspace: "test", token: process.env.TOKEN };
const said = await ask(windmill, "Why is the sky blue?");
let refused;
const step = "f/togetherai/chat/ask_model";
await run(windmill, step, {}).catch((e) => (refused = e.message));
let unknown;
await run(windmill, "f/nobody/has", {}).catch((e) => (unknown = e.message));
console.log(JSON.stringify({ said, refused, unknown }));
"""


@pytest.mark.slow
def test_call_from_typescript_asks_and_tells_failures(sandbox, auth, tmp_path):
    from tools.pages.node import install

    install()
    echoes(sandbox)
    with Workspace() as workspace:
        workspace.resources["f/togetherai/key"] = {
            "value": auth,
            "resource_type": "togetherai",
        }

        def ask_model(**arguments):
            job = run_job(
                "chat/ask_model", arguments, environment=workspace.environment
            )
            if job.failed:
                raise FailedError(**job.result["error"])
            return job.result

        workspace.register("f/togetherai/chat/ask_model", ask_model)
        drive = PLACE / "drive_ask.mjs"
        try:
            drive.write_text(DRIVE)
            done = subprocess.run(
                [
                    "node",
                    drive,
                    ROOT / PAGES / "ask.ts",
                    tmp_path / "ask.mjs",
                    workspace.url,
                ],
                env={**os.environ, "TOKEN": TOKEN},
                capture_output=True,
                text=True,
            )
        finally:
            drive.unlink()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["said"] == "You said: Why is the sky blue?"
    assert found["refused"].startswith("Nothing was sent: ")
    assert "prompt is required" in found["refused"]
    assert found["unknown"].startswith("404: ")


APP = ROOT / PAGES / "ask_page.app"


def app_s_button():
    """What the button of the app runs, and by the id all that the app shows."""
    app = yaml.safe_load((APP / "app.yaml").read_text())
    parts = {one["id"]: one["data"] for one in app["value"]["grid"]}
    return parts["ask"]["componentInput"], parts


def test_the_app_s_button_asks_with_what_was_typed(sandbox, auth):
    echoes(sandbox)
    pressed, parts = app_s_button()
    runnable, fields = pressed["runnable"], pressed["fields"]
    step = find(runnable["path"].removeprefix("f/togetherai/"))
    results = {"question": "Why is the sky blue?"}
    given = {}
    for name, field in fields.items():
        if field["type"] == "static":
            given[name] = field["value"]
        else:
            typed, member = field["expr"].split(".")
            assert member == "result"
            assert field["connections"] == [{"componentId": typed, "id": "result"}]
            given[name] = results[typed]
    assert given.pop("auth") == "$res:f/togetherai/key"
    assert given.keys() <= step.arguments.keys()

    job = run_job(step.id, {**given, "auth": auth})

    assert job.result["text"] == "You said: Why is the sky blue?"
    shown = parts["answer"]["componentInput"]
    assert shown["connections"] == [{"componentId": "ask", "id": "result"}]
    assert shown["expr"].startswith("ask.result?.text ")


@pytest.mark.slow
def test_the_app_is_pushed_by_windmill_s_own_command_line(tmp_path):
    install()
    (tmp_path / "wmill.yaml").write_text("defaultTs: bun\n")
    remote = Remote(judge=False)
    with remote.serving() as url:
        words = ("--base-url", url, "--token", "t", "--workspace", "w")
        done = wmill(tmp_path, "app", "push", str(APP), "f/mine/ask_page", *words)

    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = [body for path, body in remote.writes if path == "/w/w/apps/create"]
    assert made["path"] == "f/mine/ask_page"
    assert made["summary"] == "Ask a model"
    # Who uses the app runs this step, with this key, and nothing else.
    assert made["policy"]["execution_mode"] == "publisher"
    (allowed,) = made["policy"]["triggerables_v2"].items()
    name, how = allowed
    assert name == "ask:script/f/togetherai/chat/ask_model"
    assert how["static_inputs"] == {"auth": "$res:f/togetherai/key"}


class FailedError(Exception):
    def __init__(self, message, extra=None, **_):
        super().__init__(message)
        self.extra = extra


def test_no_recipe_is_deployed():
    names = {flow.name for flow in flows()}
    assert not names & RECIPES.keys()
