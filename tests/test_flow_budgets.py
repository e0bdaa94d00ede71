"""No flow lets more through than its budget_usd says; each price is another number.

What is charged is counted at the service, as in test_budgets.py; a step's own means to
hold a budget are tested there.
"""

import pytest

from tests.support.meter import Meter
from tools.flows.flow_engine import RESOURCE, Engine
from tools.flows.pack_flows import flows
from tools.models import model

PRICES = {
    "input": 0.31,
    "output": 1.13,
    "cachedInput": 0.07,
    "perImage": 0.043,
    "perMegapixel": 0.037,
    "perVideo": 0.29,
    "perSecond": 0.061,
}
ROWS = [{"text": f"Text number {n}, in which something is said."} for n in range(9)]
QUESTION = "How long is the guarantee?"
BATCH = {"template": "Sum up: {{text}}", "max_tokens": 50}
TRAINING = 5.42  # USD: what the sandbox says that one costs


@pytest.fixture
def engine(workspace, lifecycles, sandbox):
    meter = Meter(sandbox, PRICES)
    engine = Engine(
        workspace, meter.auth, lifecycles.advance, in_worker=False, by_form=None
    )
    engine.resources[RESOURCE] = meter.auth
    engine.meter, engine.lives, engine.decide = meter, lifecycles, allow
    return engine


def allow(links):
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(links["resume"], b"{}"))


def posted(sandbox, path):
    return [r for r in sandbox.requests if r.path == path and r.method == "POST"]


def run_batch(engine, budget):
    given = {"model": engine.meter.id, "rows": ROWS, **BATCH}
    return engine.run("run_batch", **given, budget_usd=budget), engine.meter.usd


def run_folder_batches(engine, budget):
    """Its budget is for each table: the dearest of them counts."""
    for name, count in (("a", 2), ("b", 9)):
        lines = "".join(f"{name}{name}{name} {n}\n" for n in range(count))
        engine.workspace.put(f"inbox/{name}.csv", f"text\n{lines}".encode())
    spent = {"aaa": 0.0, "bbb": 0.0}
    chat = engine.meter.chat

    def charged(arguments):
        before = engine.meter.usd
        answer = chat(arguments)
        (name,) = (n for n in spent if n in str(arguments["body"]["messages"]))
        spent[name] += engine.meter.usd - before
        return answer

    engine.meter.sandbox.answers["create_chat_completion"] = charged
    given = {"folder": "inbox", "model": engine.meter.id, **BATCH}
    run = engine.run("run_folder_batches", **given, budget_usd=budget)
    return run, max(spent.values())


def draw_rows(engine, budget):
    given = {"model": engine.meter.id, "template": "A fox: {{text}}", "rows": ROWS}
    run = engine.run("draw_rows", **given, size="wide", budget_usd=budget)
    dearest = max(PRICES["perImage"], PRICES["perMegapixel"] * 1344 * 768 / 1e6)
    drawn = posted(engine.meter.sandbox, "/v1/images/generations")
    return run, len(drawn) * dearest


def make_video(engine, budget):
    given = {"model": engine.meter.id, "prompt": "A boat", "seconds": 6}
    run = engine.run("make_video", **given, budget_usd=budget)
    made = posted(engine.meter.sandbox, "/v2/videos")
    return run, len(made) * max(PRICES["perVideo"], 6 * PRICES["perSecond"])


def fine_tune_model(engine, budget):
    examples = [{"question": f"What is {n}?", "answer": f"{n}."} for n in range(20)]
    given = {"dataset": examples, "model": model("fine_tuning")}
    run = engine.run("fine_tune_model", **given, budget_usd=budget)
    return run, len(engine.lives["fine-tune"].lives) * TRAINING


def map_rows_across_workers(engine, budget):
    lines = "".join(f"{row['text']}\n" for row in ROWS)
    engine.workspace.put("texts.csv", f"text\n{lines}".encode())
    given = {"rows": {"s3": "texts.csv"}, "part_rows": 2, "parallelism": 1, **BATCH}
    name, model = "map_rows_across_workers", engine.meter.id
    return engine.run(name, **given, model=model, budget_usd=budget), engine.meter.usd


def embed_rows_across_workers(engine, budget):
    lines = "".join(f"{row['text']}\n" for row in ROWS)
    engine.workspace.put("texts.csv", f"text\n{lines}".encode())
    given = {"rows": {"s3": "texts.csv"}, "part_rows": 2, "parallelism": 1}
    name, model = "embed_rows_across_workers", engine.meter.id
    return engine.run(name, **given, model=model, budget_usd=budget), engine.meter.usd


def map_files_across_workers(engine, budget):
    for number, row in enumerate(ROWS):
        engine.workspace.put(f"letters/{number}.txt", row["text"].encode())
    given = {"action": "ask", "folder": "letters", "question": "Sum up", "job_files": 2}
    given |= {"max_tokens": 50, "parallelism": 1, "model": engine.meter.id}
    run = engine.run("map_files_across_workers", **given, budget_usd=budget)
    return run, engine.meter.usd


def run_agent(engine, budget):
    engine.workspace.register("f/shop/find", lambda: "found", schema={"type": "object"})
    given = {"prompt": "Find it.", "model": engine.meter.id, "max_rounds": 4}
    tools = [{"path": "f/shop/find", "parameters": {"type": "object"}}]
    run = engine.run("run_agent", **given, tools=tools, budget_usd=budget)
    return run, engine.meter.usd


def ask_documents(engine, budget):
    """Its budget is for the vectors of the passages, as its title says."""
    spent = []
    embed = engine.meter.embed

    def charged(arguments):
        before = engine.meter.usd
        answer = embed(arguments)
        if arguments["body"]["input"] != [QUESTION]:
            spent.append(engine.meter.usd - before)
        return answer

    engine.meter.sandbox.answers["create_embeddings"] = charged
    text = "".join(f"Parcel {n} is delivered on Mondays. " for n in range(4000))
    given = {"documents": [{"text": text, "filename": "days.md"}], "passages": 2}
    models = {"model": engine.meter.id, "embedding_model": engine.meter.id}
    run = engine.run(
        "ask_documents", question=QUESTION, **given, **models, budget_usd=budget
    )
    return run, sum(spent)


# Each with a budget for some of it, if it can be done in part, and one for all.
FLOWS = {
    run_batch: (7e-4, 1),
    run_folder_batches: (2e-4, 1),
    draw_rows: (0.1, 1),
    make_video: (0.365, 0.367),
    fine_tune_model: (5.41, 5.43),
    map_rows_across_workers: (7e-4, 1),
    embed_rows_across_workers: (4e-5, 1),
    map_files_across_workers: (7e-4, 1),
    run_agent: (0.2, 50),
    ask_documents: (0.02, 1),
}


def test_every_flow_with_a_budget_is_tried():
    names = {flow.name for flow in flows() if "budget_usd" in flow.arguments}

    assert names == {flow.__name__ for flow in FLOWS}


@pytest.mark.slow
@pytest.mark.parametrize("share", ["none", "hardly any", "some", "all"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_a_flow_lets_no_more_through_than_its_budget(flow, share, engine):
    some, whole = FLOWS[flow]
    budget = {"none": 0, "hardly any": 1e-6, "some": some, "all": whole}[share]
    run, spent = flow(engine, budget)

    assert spent <= budget + 1e-9
    if share == "all":
        assert spent > 0, run.result
    elif share != "some":
        assert spent == 0
        assert "budget" in str(run.result), run.result
