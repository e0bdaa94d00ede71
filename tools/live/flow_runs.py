"""The pack's flows, run by the server, with things at the sandbox that live for
seconds: what they return, what they leave, and that a wait holds no worker."""

import secrets
import time
from urllib.parse import urlsplit

from tools.live.checks import Subject, expect
from tools.live.stage import Stage, step
from tools.models import model
from tools.operations import find
from tools.sandbox import Fault
from tools.sandbox.lifecycles.lifecycle import Lifecycle

MODEL = model("chat")
TUNED = model("fine_tuning")
SLEEP = 10.0  # seconds without a worker at least, of the 15 between the first looks
STEPS = ("script", "script_hub", "preview", "singlescriptflow")  # what holds a worker
DENIED = 402


def rows(count: int = 3) -> list[dict]:
    """Rows that nobody else has."""
    mark = secrets.token_hex(4)
    return [{"text": f"text {number} of {mark}"} for number in range(count)]


def table(result: object) -> list[dict]:
    """The rows of a flow's result, whether they are all of it or a part."""
    found = result.get("rows") if isinstance(result, dict) else result
    expect(isinstance(found, list), f"there are no rows in {str(result)[:300]}")
    return found


def batch_of(stage: Stage, given: list[dict]) -> Lifecycle | None:
    """The sandbox's batch that was made of these rows."""
    batches = stage.sandbox.lifecycles["batch"]
    for life in list(batches.lives.values()):
        if given[0]["text"].encode() in batches.content(life):
            return life
    return None


def run_batch(stage: Stage, given: list[dict], **more: object) -> str:
    """Start run_batch on these rows."""
    words = {"model": MODEL, "template": "Repeat {{text}}", "rows": given, **more}
    return stage.start_flow("run_batch", **words)


# --- the checks --------------------------------------------------------------------


def run_batch_joins_the_answers_to_the_rows(stage: Stage) -> str:
    given = rows()
    done = stage.wait(run_batch(stage, given), "run_batch")
    found = table(done.succeeded())
    for row, asked in zip(found, given, strict=True):
        answer = str(row.get("answer"))
        expect(asked["text"] in answer, f"{asked['text']!r} was answered {answer!r}")
    return f"{len(found)} rows answered through one batch"


def a_wait_holds_no_worker(stage: Stage) -> dict:
    given = rows()
    job = run_batch(stage, given)
    spells, busy, looks = [0.0], 0, 0
    idle_since: float | None = None
    while not stage.api.get(f"jobs_u/completed/get_result_maybe/{job}")["completed"]:
        held = _held(stage, job)
        now = time.monotonic()
        looks, busy = looks + 1, busy + bool(held)
        if held:
            idle_since = None
        else:
            idle_since = idle_since or now
            spells.append(now - idle_since)
        stage.pause(0.25)
    stage.wait(job, "run_batch").succeeded()
    longest = round(max(spells), 1)
    said = (
        f"{looks} looks at a flow that waits: a worker was held in {busy} of them; "
        f"the longest time without one was {longest} s"
    )
    expect(busy and longest >= SLEEP, said)
    return {"said": said, "looks": looks, "held": busy, "longest_seconds": longest}


def _held(stage: Stage, root: str) -> list[dict]:
    """The jobs of a flow that run on a worker just now."""
    query = {"script_path_start": f"{stage.folder}/", "running": "true"}
    # Of the two lists, this one tells the parents.
    queued = {j["id"]: j for j in stage.api.get("jobs/list", **query)}

    def below(job: dict) -> bool:
        while (parent := job.get("parent_job")) is not None:
            if parent == root:
                return True
            job = queued.get(parent, {})
        return False

    steps = [job for job in queued.values() if job.get("job_kind") in STEPS]
    return [job for job in steps if below(job)]


def run_batch_cancelled_in_the_middle_is_cancelled_there(stage: Stage) -> str:
    given = rows()
    job = run_batch(stage, given)
    life = stage.until("a batch at the sandbox", lambda: batch_of(stage, given), 60)
    clock = stage.sandbox.lifecycles.clock
    life.turn(clock.now(), ("IN_PROGRESS", 3600.0), ("COMPLETED", 0.0))
    guard = stage.script("waits/start_guard")
    stage.until("the guard", lambda: _done(stage, job, guard), 60)
    stage.api.post(f"jobs_u/queue/cancel/{job}", {"reason": "no longer wanted"})
    began = time.monotonic()
    ended = stage.wait(job, "run_batch")
    expect(not ended.success, "the cancelled flow counts as a success")
    state = stage.sandbox.lifecycles.state
    stage.until("the batch is cancelled", lambda: state(life.id) == "CANCELLED", 90)
    return f"the batch was cancelled {time.monotonic() - began:.0f} s after the flow"


def _done(stage: Stage, root: str, path: str) -> dict | None:
    """The job of a script under a flow, once it is over."""
    for job in stage.jobs(root):
        if job.get("script_path") == path and job.get("type") == "CompletedJob":
            return job
    return None


def run_batch_that_fails_says_why(stage: Stage) -> str:
    given = rows()
    job = run_batch(stage, given)
    life = stage.until("a batch at the sandbox", lambda: batch_of(stage, given), 60)
    stage.sandbox.lifecycles.fail(life.id, "no credit left")
    ended = stage.wait(job, "run_batch")
    text = str(ended.result)
    expect(not ended.success, "a flow whose batch failed counts as a success")
    expect("no credit left" in text, f"the reason is not told: {text[:500]}")
    expect(life.id in text, f"the batch is not named: {text[:500]}")
    return "the flow failed with the batch's own reason"


def draw_rows_draws_each_row(stage: Stage) -> str:
    given = [{"animal": "a fox"}, {"animal": "an owl"}]
    words = {
        "model": model("image"),
        "template": "A watercolour of {{animal}}",
        "rows": given,
    }
    result = stage.run_flow("draw_rows", **words).succeeded()
    drawn = [row for row in table(result) if row.get("picture")]
    errors = [row.get("error") for row in table(result) if row.get("error")]
    said = f"{len(drawn)} of {len(given)} rows were drawn"
    expect(len(drawn) == len(given), f"{said}: {'; '.join(map(str, errors))[:500]}")
    return said


def make_video_gives_the_film(stage: Stage) -> str:
    words = {"model": model("video"), "prompt": "A paper boat"}
    done = stage.run_flow("make_video", **words)
    result = done.succeeded()
    film = {"s3", "file", "video_url", "url", "html", "filename"} & set(result)
    expect(film, f"there is no film in {str(result)[:500]}")
    return f"the film came as {', '.join(sorted(film))}"


def _tuning(stage: Stage, suffix: str, **more: object) -> str:
    examples = [
        {
            "messages": [
                {"role": "user", "content": f"Question {number}?"},
                {"role": "assistant", "content": f"Answer {number}."},
            ]
        }
        for number in range(20)
    ]
    words = {"dataset": examples, "model": TUNED, "suffix": suffix, **more}
    return stage.start_flow("fine_tune_model", **words)


def _trained(stage: Stage, suffix: str) -> list[str]:
    """The ids of the sandbox's fine-tunes with this suffix."""
    lives = list(stage.sandbox.lifecycles["fine-tune"].lives.values())
    named = [(life.id, str(life.given["body"].get("suffix"))) for life in lives]
    return [name for name, own in named if own.startswith(suffix)]


def answer(stage: Stage, job: str, link: str) -> dict:
    """Follow a link of the approval that a flow waits for; return the links."""

    def asked_or_ended() -> dict | None:
        found = _asking(stage, job)
        ended = stage.api.get(f"jobs_u/completed/get_result_maybe/{job}")
        expect(found or not ended["completed"], f"it never asked: {ended}"[:800])
        return found

    asked = stage.until("an approval", asked_or_ended, 120)
    links = stage.api.get(f"jobs_u/completed/get_result/{asked['id']}")
    # The server's own address of itself may not lead there from here.
    path = urlsplit(links[link]).path
    stage.api.post(path[path.index("/api/") + len("/api") :], {})
    stage.until("the flow that was answered", lambda: not _waits(stage, asked), 60)
    return links


def _asking(stage: Stage, root: str) -> dict | None:
    """The job of a question under a flow, once what asked it waits for the answer: one
    that comes as that lies down, sooner than any person's, may wake nobody."""
    ask = stage.script("waits/ask_approval")
    for job in stage.jobs(root):
        if job.get("script_path") != ask or job.get("type") != "CompletedJob":
            continue
        if _waits(stage, job):
            return job
    return None


def _waits(stage: Stage, asked: dict) -> bool:
    """Whether the flow that asked, a branch of another or not, waits for events."""
    flow = stage.api.get(f"jobs_u/get/{asked['parent_job']}", no_logs="true")
    steps = (flow.get("flow_status") or {}).get("modules", ())
    return any(step.get("type") == "WaitingForEvents" for step in steps)


def fine_tune_model_approved_trains(stage: Stage) -> str:
    suffix = secrets.token_hex(4)
    job = _tuning(stage, suffix)
    links = answer(stage, job, "resume")
    result = stage.wait(job, "fine_tune_model").succeeded()
    expect(result.get("trained") is True, f"not trained: {str(result)[:500]}")
    made = _trained(stage, suffix)
    expect([result.get("fine_tune_id")] == made, f"the sandbox has {made}")
    asked = str(links.get("description", {}))
    expect("USD" in asked, f"the approval names no price: {asked[:300]}")
    return f"{result['model_name']} trained after an approval"


def fine_tune_model_that_cannot_be_served_tells_what_was_trained(stage: Stage) -> str:
    suffix = secrets.token_hex(4)
    job = _tuning(stage, suffix, serve=True, endpoint_name=f"live-{suffix}")
    answer(stage, job, "resume")
    answer(stage, job, "resume")
    lives = stage.sandbox.lifecycles
    life = stage.until("a deployment", lambda: _deployed(stage, f"live-{suffix}"), 90)
    lives.fail(life, "no capacity")
    ended = stage.wait(job, "fine_tune_model")
    expect(not ended.success, "a model that is not served counts as served")
    result = ended.result if isinstance(ended.result, dict) else {}
    made = _trained(stage, suffix)
    kept = result.get("kept") or {}
    expect([kept.get("fine_tune_id")] == made, f"{made} is not told: {result}"[:800])
    expect("no capacity" in str(result.get("message")), f"it says {result}"[:800])
    kinds = {one.get("kind") for one in result.get("left") or ()}
    expect(kinds == {"fine_tune", "deployment"}, f"of {kinds} it is told: {result}")
    return str(result["message"])


def _deployed(stage: Stage, endpoint_name: str) -> str | None:
    """The id of the sandbox's deployment of the endpoint with that name."""
    lives = stage.sandbox.lifecycles
    for endpoint in list(lives["endpoint (v2)"].lives.values()):
        if endpoint.given["body"]["name"] == endpoint_name:
            for life in lives["deployment"].of(endpoint.id):
                return life.id
    return None


def fine_tune_model_refused_trains_nothing(stage: Stage) -> str:
    suffix = secrets.token_hex(4)
    job = _tuning(stage, suffix)
    answer(stage, job, "cancel")
    result = stage.wait(job, "fine_tune_model").succeeded()
    expect(result.get("trained") is False, f"trained: {str(result)[:500]}")
    expect(not _trained(stage, suffix), "the sandbox was asked to train")
    return str(result.get("message"))


def ask_documents_cites_what_it_read(stage: Stage) -> str:
    words = {
        "question": "How long is the guarantee?",
        "documents": [{"text": "The guarantee lasts two years.", "filename": "a.md"}],
        "model": MODEL,
        "embedding_model": model("embedding"),
        "rerank_model": model("rerank"),
    }
    result = stage.run_flow("ask_documents", **words).succeeded()
    expect("answer" in result, f"there is no answer in {str(result)[:500]}")
    return f"answered, with {', '.join(sorted(result))}"


def run_on_endpoint_asks_and_stops(stage: Stage) -> str:
    given = rows()
    words = {"model": MODEL, "endpoint_name": f"live-{secrets.token_hex(3)}"}
    words |= {"rows": given, "template": "Repeat {{text}}"}
    result = stage.run_flow("run_on_endpoint", **words).succeeded()
    found = table(result.get("result"))
    expect(len(found) == len(given), f"{len(found)} of {len(given)} rows came back")
    deployments = stage.sandbox.lifecycles["deployment"]
    endpoints = [
        life.id
        for life in list(stage.sandbox.lifecycles["endpoint (v2)"].lives.values())
        if life.given["body"]["name"] == words["endpoint_name"]
    ]
    (endpoint,) = endpoints
    states = {
        life.state(deployments.clock.now()).rpartition("_")[2]
        for life in deployments.of(endpoint)
    }
    expect(states and states <= {"STOPPED", "STOPPING"}, f"it is left {states}")
    return f"{len(found)} rows answered, the deployment is {', '.join(states)}"


def a_flow_s_error_handler_reads_what_the_error_says(stage: Stage) -> str:
    failing = "code_interpreter/list_code_sessions"
    path = find(failing).exchange["path"]
    fault = Fault(f"^{path}$", DENIED, times=99)
    stage.sandbox.faults.append(fault)
    told = "=({status: error.extra.status, advice: error.extra.advice})"
    handler = stage.script("waits/finish_flow")
    more = {"auth": stage.auth, "message": "Handled", "details": told}
    flow = stage.make_flow(
        "handled",
        [step("a", stage.script(failing), auth=stage.auth)],
        failure_module=step("failure", handler, **more),
    )
    ended = stage.wait(stage.start(flow, {}, "flow"), "the flow")
    fault.times = 0
    expect(not ended.success, "a flow that failed counts as a success")
    result = ended.result
    found = result if isinstance(result, dict) else {}
    expect(found.get("status") == DENIED, f"it read {str(result)[:500]}")
    return f"status {found['status']}, advice {str(found.get('advice'))[:60]!r}"


SUBJECT = Subject(
    "flows",
    (
        run_batch_joins_the_answers_to_the_rows,
        run_batch_cancelled_in_the_middle_is_cancelled_there,
        run_batch_that_fails_says_why,
        a_wait_holds_no_worker,
        draw_rows_draws_each_row,
        make_video_gives_the_film,
        fine_tune_model_approved_trains,
        fine_tune_model_refused_trains_nothing,
        fine_tune_model_that_cannot_be_served_tells_what_was_trained,
        ask_documents_cites_what_it_read,
        run_on_endpoint_asks_and_stops,
        a_flow_s_error_handler_reads_what_the_error_says,
    ),
    at_once=4,
)
