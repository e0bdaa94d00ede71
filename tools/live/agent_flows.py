"""The flows that ship an agent, on the server's own step for AI agents. The sandbox's
model makes the calls that its question says.

Tables and documents come from an address of the sandbox, so that the whole of a flow is
seen on a server without object storage too; stored.py reads a table of storage where
the server has one, and elsewhere the tests' stand-in alone does. Nothing here kills a
worker, which is no right of a user's: tests/test_killed.py kills those of run_agent.
"""

import json
import secrets
import uuid

from tools.live.checks import ShortError, SkippedError, Subject, expect
from tools.live.flow_runs import answer
from tools.live.stage import Job, Stage
from tools.models import model
from tools.sandbox import Fault

CHAT = model("chat")
TUNED = model("fine_tuning")


def script(*rounds: list[tuple[str, dict]], **more: object) -> str:
    """What the sandbox's model is told to call, round by round."""
    calls = [[{"tool": t, "arguments": a} for t, a in called] for called in rounds]
    return json.dumps({"rounds": calls, **more})


def begin(
    stage: Stage, name: str, memory: str | None = None, **arguments: object
) -> str:
    """Start a flow with an agent; return the job's id."""
    words = {"auth": stage.agents_auth, "model": CHAT, **arguments}
    query = {"memory_id": memory} if memory else {}
    path = f"jobs/run/f/{stage.flow(name)}"
    return str(stage.api.post(path, words, **query)).strip('"')


def serve(stage: Stage, name: str, kind: str, content: bytes) -> str:
    """Put a file on the sandbox; return its address, which no other file has."""
    path = f"/sandbox/objects/{secrets.token_hex(4)}/{name}"
    stage.sandbox.objects[path] = kind, content
    return stage.sandbox.url + path


def ended(stage: Stage, job: str, name: str) -> Job:
    done = stage.wait(job, name)
    if "ALLOW_PRIVATE_AI_BASE_URLS" in json.dumps(done.result):
        raise SkippedError("its workers may not ask an AI in a private network")
    return done


def approve(stage: Stage, job: str, name: str, link: str) -> dict:
    """Follow a link of the approval that an agent waits for; return the links."""
    try:
        return answer(stage, job, link)
    except ShortError:
        ended(stage, job, name)  # which says where its workers may not ask an AI
        raise


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
    file = stage.sandbox.store_file("a.jsonl", b'{"text": "a"}\n', "fine-tune")["id"]
    for link in ("cancel", "resume"):
        training = {"model": TUNED, "training_file": file}
        made = stage.run("fine_tuning/create_fine_tune", {"body": training})
        number = made.succeeded()["id"]
        life = stage.sandbox.lifecycles["fine-tune"].lives[number]
        clock = stage.sandbox.lifecycles.clock
        life.turn(clock.now(), ("running", 3600.0), ("completed", 0.0))
        change = ("propose_change", {"action": "cancel_fine_tune", "id": number})
        asked = script([("list_work", {})], [change, change], answer="I proposed it.")
        job = begin(stage, "keep_models", question=asked)
        page = approve(stage, job, "keep_models", link)
        result = ended(stage, job, "keep_models").succeeded()
        (proposal,) = result["proposals"]
        expect(proposal["arguments"]["job_id"] == number, f"it proposed {proposal}")
        states[link] = (proposal["outcome"], stage.sandbox.lifecycles.state(number))
    expect(states["cancel"] == ("refused", "running"), f"refused: {states}")
    expect(states["resume"][0] == "done", f"allowed: {states}")
    expect(states["resume"][1].startswith("cancel"), f"allowed: {states}")
    return {"said": f"refused, then allowed: {states['resume'][1]}", "page": page}


def an_analyst_counts_and_a_person_allows_a_batch(stage: Stage) -> dict:
    """It describes a table and sums in it, is refused another one, and a batch over the
    rows is begun once a person allowed it."""
    table = serve(stage, "orders.csv", "text/csv", ORDERS)
    other = serve(stage, "other.csv", "text/csv", b"secret\n1\n")
    by_city = {"group_by": ["city"], "measures": ["sum amount"], "sort": ["city"]}
    batch = {"model": CHAT, "template": "Is it good? {{note}}", "rows": table}
    asked = script(
        [("query_table", {"table": "orders.csv"})],
        [
            ("query_table", {"table": table, **by_city}),
            ("query_table", {"table": other}),
        ],
        [("propose_batch", {**batch, "max_tokens": "100000"})],
        answer="Oslo sold most.",
    )
    words = {"tables": [{"url": table}], "ask_above_usd": 0.0001}
    job = begin(stage, "analyse_tables", question=asked, **words)
    page = approve(stage, job, "analyse_tables", "resume")
    result = ended(stage, job, "analyse_tables").succeeded()
    # The two calls of a round run at once, and are told in the order in which they end.
    calls = list(result["calls"])
    calls[1:3] = sorted(calls[1:3], key=lambda call: other in call["arguments"])
    told = [(call["tool"], call["ok"]) for call in calls]
    query, propose = "query_table", "propose_batch"
    wanted = [(query, True), (query, True), (query, False), (propose, True)]
    expect(told == wanted, f"it called {told}: {str(result['calls'])[:1500]}")
    refused = calls[2]["result"]
    expect("must be one of" in refused, f"another table gives {refused[:500]}")
    summed = calls[1]["result"]
    expect("Oslo,200" in summed and "Rome,15" in summed, f"it summed {summed}")
    (proposal,) = result["proposals"]
    expect(proposal["outcome"] == "done", f"the batch is {proposal['outcome']}")
    made = proposal["result"]["batch_id"]
    expect(made in stage.sandbox.lifecycles["batch"].lives, f"there is no batch {made}")
    expect(result["text"].startswith("Oslo sold most."), f"it said {result['text']}")
    said = f"summed as {' '.join(summed.split())[-60:]}; the batch {made} is begun"
    return {"said": said, "page": page, "calls": result["calls"]}


def a_reader_cites_what_it_read(stage: Stage) -> dict:
    """Passages of two documents are found; what the answer names is cited, and what it
    never read is told."""
    texts = {"a.md": b"# Offer\n\nThe guarantee lasts two years.\n"}
    texts["b.txt"] = b"The guarantee of this offer lasts five years.\n"
    kinds = {"a.md": "text/markdown", "b.txt": "text/plain"}
    documents = [
        {"url": serve(stage, name, kinds[name], text)} for name, text in texts.items()
    ]
    look = [("find_passages", {"question": "guarantee years"})]
    words = "Five years [b.txt, 0], not two [a.md, 0] or nine [c.txt, 0]."
    asked = script(look, answer=words)
    job = begin(stage, "study_documents", question=asked, documents=documents)
    result = ended(stage, job, "study_documents").succeeded()
    cited = {one["source"]: one["text"] for one in result["citations"]}
    expect("five years" in cited.get("b.txt", ""), f"it cites {cited}")
    expect("two years" in cited.get("a.md", ""), f"it cites {cited}")
    expect("[c.txt, 0]" in result.get("note", ""), f"the note is {result.get('note')}")
    said = f"{len(cited)} passages cited; {result['note']}"
    return {"said": said, "citations": result["citations"]}


def what_was_allowed_and_failed_is_red(stage: Stage) -> str:
    """The only proposal fails once it is allowed: the flow fails, and says why."""
    file = stage.sandbox.store_file("a.jsonl", b'{"text": "a"}\n', "fine-tune")["id"]
    made = stage.run(
        "fine_tuning/create_fine_tune",
        {"body": {"model": TUNED, "training_file": file}},
    )
    number = made.succeeded()["id"]
    life = stage.sandbox.lifecycles["fine-tune"].lives[number]
    life.turn(
        stage.sandbox.lifecycles.clock.now(), ("running", 3600.0), ("completed", 0.0)
    )
    stage.sandbox.faults.append(Fault(f"/fine-tunes/{number}/cancel", 400, times=99))
    change = ("propose_change", {"action": "cancel_fine_tune", "id": number})
    job = begin(stage, "keep_models", question=script([change], answer="I did."))
    approve(stage, job, "keep_models", "resume")
    done = ended(stage, job, "keep_models")
    expect(not done.success, f"the flow succeeded: {str(done.result)[:500]}")
    words = str(done.error.get("message"))
    expect("could be carried out" in words and "400" in words, f"it says {words}")
    (proposal,) = done.error["extra"]["partial"]["proposals"]
    expect(proposal["outcome"] == "failed", f"the proposal is {proposal}")
    return words[:300]


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
    seen = b"".join(request.body for request in list(stage.sandbox.requests))
    expect(b"PLANTED" not in seen, "the secret was sent to the model")
    expect("PLANTED" not in json.dumps(result), "the secret is in the result")
    return str(result["calls"][0]["result"])[:200]


def _asked(stage: Stage) -> list[dict]:
    found = [r for r in stage.sandbox.requests if r.path == "/v1/chat/completions"]
    return [r.json for r in found]


ORDERS = b"city,amount,note\nRome,10,a\nOslo,200,\nRome,5,b\n"
SUBJECT = Subject(
    "agents",
    (
        an_assistant_remembers,
        a_keeper_proposes_and_a_person_decides,
        an_analyst_counts_and_a_person_allows_a_batch,
        a_reader_cites_what_it_read,
        what_was_allowed_and_failed_is_red,
        what_a_model_writes_as_a_reference_stays_text,
    ),
)
