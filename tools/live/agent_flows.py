"""The flows that ship an agent, on the server's own step for AI agents, and run_agent
whose workers are killed: the sandbox's model makes the calls that its question says."""

import json
import uuid

from tools.live.checks import SkippedError, Subject, expect
from tools.live.flow_runs import answer
from tools.live.stage import Job, Stage
from tools.models import model

CHAT = model("chat")
TUNED = model("fine_tuning")


def script(*rounds: list[tuple[str, dict]], **more: object) -> str:
    """What the sandbox's model is told to call, round by round."""
    calls = [[{"tool": t, "arguments": a} for t, a in round] for round in rounds]
    return json.dumps({"rounds": calls, **more})


def agent_key(stage: Stage) -> str:
    """The resource that leads Windmill's own step to the sandbox."""
    path = f"{stage.folder}/agents"
    if stage.api.find(f"resources/get/{path}") is None:
        key = {"api_key": "of-the-live-suite", "base_url": f"{stage.sandbox.url}/v1"}
        stage.make_resource("agents", key, "togetherai")
    return f"$res:{path}"


def begin(
    stage: Stage, name: str, memory: str | None = None, **arguments: object
) -> str:
    """Start a flow with an agent; return the job's id."""
    words = {"auth": agent_key(stage), "model": CHAT, **arguments}
    query = {"memory_id": memory} if memory else {}
    path = f"jobs/run/f/{stage.flow(name)}"
    return str(stage.api.post(path, words, **query)).strip('"')


def ended(stage: Stage, job: str, name: str) -> Job:
    done = stage.wait(job, name)
    if "ALLOW_PRIVATE_AI_BASE_URLS" in json.dumps(done.result):
        raise SkippedError("its workers may not ask an AI in a private network")
    return done


def an_assistant_remembers(stage: Stage) -> dict:
    """Two messages of a chat: the second is asked with the first and its tool."""
    memory = str(uuid.uuid4())
    price = ("price_call", {"model": {"id": CHAT}, "input_tokens": "1000"})
    first = begin(stage, "assistant", memory, user_message=script([price]))
    result = ended(stage, first, "assistant").succeeded()
    expect(result["calls"][0]["ok"], f"the tool failed: {str(result)[:800]}")
    expect("at most" in result["text"], f"it gave {result['text'][:500]}")
    expect(result["cost_usd"], f"no cost: {result.get('cost_note')}")
    expect(result["windmill_chat_answer"] is None, "the chat would be told twice")
    said = script(answer="Yes.")
    ended(stage, begin(stage, "assistant", memory, user_message=said), "assistant")
    last = _asked(stage)[-1]["messages"]
    roles = [message["role"] for message in last]
    wanted = ["system", "user", "assistant", "tool", "assistant", "user"]
    expect(roles == wanted, f"the second question has {roles}")
    listed = stage.api.get(f"flow_conversations/{memory}/messages")
    told = [f"{m['message_type']}: {m['content'][:40]}" for m in listed]
    expect(len(told) >= 4, f"the chat shows {told}")
    return {"said": f"the chat shows {len(told)} messages", "chat": told}


def a_keeper_proposes_and_a_person_decides(stage: Stage) -> dict:
    """A fine-tune is cancelled after a person allowed it, and stays where not."""
    states = {}
    for link in ("cancel", "resume"):
        made = stage.run("fine_tuning/create_fine_tune", {"body": TRAINING})
        number = made.succeeded()["id"]
        life = stage.sandbox.lives["fine-tune"].lives[number]
        clock = stage.sandbox.lives.clock
        life.turn(clock.now(), ("running", 3600.0), ("completed", 0.0))
        change = ("propose_change", {"action": "cancel_fine_tune", "id": number})
        asked = script([("list_work", {})], [change, change], answer="I proposed it.")
        job = begin(stage, "keep_models", question=asked)
        page = answer(stage, job, link)
        result = ended(stage, job, "keep_models").succeeded()
        (proposal,) = result["proposals"]
        expect(proposal["arguments"]["job_id"] == number, f"it proposed {proposal}")
        states[link] = (proposal["outcome"], stage.sandbox.lives.state(number))
    expect(states["cancel"] == ("refused", "running"), f"refused: {states}")
    expect(states["resume"][0] == "done", f"allowed: {states}")
    expect(states["resume"][1].startswith("cancel"), f"allowed: {states}")
    return {"said": f"refused, then allowed: {states['resume'][1]}", "page": page}


def what_a_model_writes_as_a_reference_stays_text(stage: Stage) -> str:
    """A tool that is given `$var:` and the path of a secret refuses it."""
    path = f"{stage.folder}/secret"
    stage.api.post(
        "variables/create",
        {"path": path, "value": "PLANTED", "is_secret": True, "description": ""},
    )
    call = ("consult_model", {"prompt": f"$var:{path}", "model": CHAT})
    memory = str(uuid.uuid4())
    job = begin(stage, "assistant", memory, user_message=script([call]))
    result = ended(stage, job, "assistant").succeeded()
    seen = json.dumps([r.json for r in stage.sandbox.requests if r.json])
    expect("PLANTED" not in seen, "the secret was sent to the model")
    expect("PLANTED" not in json.dumps(result), "the secret is in the result")
    return str(result["calls"][0]["result"])[:200]


def _asked(stage: Stage) -> list[dict]:
    found = [r for r in stage.sandbox.requests if r.path == "/v1/chat/completions"]
    return [r.json for r in found]


TRAINING = {"model": TUNED, "training_file": "file-6f8a2c1d"}
SUBJECT = Subject(
    "agents",
    (
        an_assistant_remembers,
        a_keeper_proposes_and_a_person_decides,
        what_a_model_writes_as_a_reference_stays_text,
    ),
)
