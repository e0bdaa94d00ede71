"""The rendered reference: a place for every step, links that lead somewhere, and graphs
of flows whose branches join."""

import re
from functools import cache

import pytest

from tools.flows.pack_flows import Flow, flows
from tools.operations import ROOT, find, scripts
from tools.pages import troubleshooting
from tools.pages.flow_docs import _Graph, page
from tools.pages.flow_docs import pages as flow_pages
from tools.pages.reference import (
    argument_table,
    as_json,
    catalogue,
    pages,
    places,
    prose,
)
from tools.schemas.shelves import shelves

WORDS = {"end", "graph", "subgraph", "flowchart", "style", "class", "click", "default"}


@cache
def rendered():
    return pages(ROOT, scripts(ROOT))


def test_every_script_has_its_page_and_its_arguments_there():
    for one in scripts(ROOT):
        text = rendered()[one.page]
        for name in one.arguments:
            assert f"| `{name}` |" in text, (one.id, name)
        assert "## Example\n" in text, one.id
        assert f"./dev run {one.id} --help" in text
        assert f"({one.name}.md)" in rendered()[f"docs/reference/{one.group}/README.md"]


def test_one_page_leads_to_all_a_group_after_the_other():
    text = rendered()["docs/reference/README.md"]

    places = {one.page for one in scripts(ROOT)} | {flow.page for flow in flows()}
    assert {
        f"docs/reference/{at}" for at in re.findall(r"\((\w+/\w+\.md)\)", text)
    } == {
        *places,
        *(place for place in rendered() if place.count("/") == 3 and "README" in place),
    }
    part = text.split("\n## chat\n")[1].split("\n## ")[0]
    assert part.startswith(
        "\n- [Steps](chat/README.md): [ask_agent](chat/ask_agent.md)"
    )
    assert "- [Operations of the API](chat/README.md): [create_chat" in part
    assert "- [Inner flows](../../FLOWS.md): [guard_job](flows/guard_job.md)" in text


def test_every_link_leads_to_a_heading():
    texts = {"OPERATIONS.md": catalogue(scripts(ROOT), ROOT), "FLOWS.md": page()}
    texts |= rendered() | flow_pages()
    count = 0
    for place, text in texts.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("http"):
                continue
            file, _, heading = target.partition("#")
            found = (ROOT / place).parent / file if file else ROOT / place
            known = texts.get(str(found.resolve().relative_to(ROOT)))
            assert found.exists(), (place, target)
            if heading and known:
                assert f"\n## {heading}\n" in known, (place, target)
            count += 1
    assert count > 1000


def test_troubleshooting_leads_to_the_steps_that_it_names():
    text = troubleshooting.page()

    link = "[organization/check_connection](reference/organization/check_connection.md)"
    assert f"| 403 Forbidden | The key may not do this; {link} tells" in text
    assert f"Of {link}, check `base_url`" in text
    bare = re.sub(r"\[[^]]*\]\([^)]*\)", "", text)
    assert [one.id for one in scripts(ROOT) if one.id in bare] == []


def test_texts_lead_to_the_steps_that_they_name_and_lose_no_word():
    text = rendered()["docs/reference/chat/map_rows.md"]
    assert "use [batches/submit_rows](../batches/submit_rows.md)." in text
    assert "the answer and &lt;answer\\_column&gt;\\_error" in text

    text = " ".join(flow_pages()["docs/reference/flows/run_batch.md"].split())
    assert "the answer and &lt;answer\\_column&gt;\\_error (why" in text
    assert "with [files/delete_file](../files/delete_file.md)" in text
    own = prose("see flows/run_batch or a/b", places(ROOT), "flows/run_batch")
    assert own == "see flows/run\\_batch or a/b"


def test_tables_have_as_many_cells_as_headings():
    for place, text in rendered().items():
        for line in text.splitlines():
            if line.startswith("| "):
                assert len(re.split(r"(?<!\\)\|", line)) == 7, (place, line)


def test_an_argument_is_told_with_its_title_type_default_and_bounds():
    lines = "\n".join(argument_table(find("chat/map_rows")))

    assert "| `rows` | Rows | file | **required** |" in lines
    assert "| `concurrency` | Concurrent calls | integer | `" in lines
    nothing = list(argument_table(find("organization/get_identity")))
    assert nothing == ["It takes nothing but `auth`."]


def test_members_of_objects_and_of_lists_have_rows_with_what_is_suggested():
    lines = "\n".join(argument_table(find("chat/ask_model")))
    assert "| `history[].role` | Role | text |" in lines
    assert "Who says it. Such as user, assistant, system. |" in lines
    lines = "\n".join(argument_table(find("endpoints/create_rollout")))
    assert "| `body.metrics[].name` |" in lines

    count = 0
    for one in scripts(ROOT):
        for listed in suggestions(one.arguments):
            told = prose(f"Such as {', '.join(listed)}.", {}).replace("|", "\\|")
            assert told in rendered()[one.page], (one.id, listed)
            count += 1
    assert count > 30


def suggestions(members):
    """What is suggested for arguments, their members and the items of their lists."""
    for member in members.values():
        items = member.get("items", {})
        for one in (member, items, *member.get("anyOf", ())):
            if "x-suggestions" in one:
                yield one["x-suggestions"]
        for one in (member, items):
            yield from suggestions(one.get("properties", {}))


def test_small_numbers_have_no_exponent():
    text = rendered()["docs/reference/agent/consult_model.md"]

    assert '"cost_usd": 0.0000' in text
    assert '"a": 0.00001935' in "".join(as_json({"a": 1.935e-05}))


def test_steps_stand_under_their_headings():
    text = catalogue(scripts(ROOT), ROOT)

    for heading, ids in shelves(ROOT).items():
        part = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        assert [f"`{id}`" in part for id in ids] == [True] * len(ids)


def step(name, **more):
    value = {"type": "script", "path": "waits/poll_job"}
    return {"id": name, "summary": name, "value": value, **more}


def edges(*modules):
    flow = type("F", (), {"value": {"modules": list(modules)}})()
    lines = "\n".join(_Graph(flow).lines())
    pattern = r"s_(\w+) -->(?:\|\"(\w+)\"\|)? s_(\w+)"
    return {(a, b): label for a, label, b in re.findall(pattern, lines)}


def test_branches_join_at_what_follows():
    branch = {"summary": "yes", "modules": [step("a"), step("b")]}
    value = {"type": "branchone", "branches": [branch], "default": []}
    fork = {"id": "fork", "summary": "?", "value": value}

    assert edges(step("one"), fork, step("end")) == {
        ("one", "fork"): "",
        ("fork", "a"): "yes",
        ("a", "b"): "",
        ("b", "end"): "",
        ("fork", "end"): "otherwise",
    }


def test_a_branch_that_ends_the_flow_leads_nowhere():
    over = step("a", stop_after_if={"expr": "true"})
    branch = {"summary": "yes", "modules": [over]}
    value = {"type": "branchone", "branches": [branch], "default": [step("b")]}
    fork = {"id": "fork", "summary": "?", "value": value}

    found = edges(fork, step("last"))
    assert ("a", "last") not in found
    assert ("b", "last") in found


def test_a_flow_s_page_has_all_that_is_to_be_known():
    found = list(flows(ROOT))
    texts = flow_pages()

    assert len(texts) == len(found)
    for flow in found:
        text = texts[flow.page]
        assert flow.inner or "\n- Returns: " in text, flow.id
        for name in flow.arguments:
            assert f"| `{name}` |" in text, (flow.id, name)
        assert "## Example\n" in text
        assert "```mermaid\nflowchart" in text
        listed = page().split(f"]({flow.page}): **")[1].splitlines()[0]
        assert listed.startswith(flow.source["summary"].rstrip("."))
        assert len(listed.partition("**. ")[2]) > 40, flow.id


@pytest.mark.parametrize("flow", list(flows(ROOT)), ids=lambda flow: flow.name)
def test_a_graph_is_whole_and_uses_no_word_of_mermaid(flow: Flow):
    lines = list(_Graph(flow).lines())
    text = "\n".join(lines)
    nodes = set(re.findall(r"^ +(?:subgraph )?(\w+)[\[{(]", text, re.M))
    arrows = re.findall(r"(\w+) -->(?:\|\"[^\"]*\"\|)? (\w+)", text)

    assert nodes
    assert not nodes & WORDS
    assert {name for arrow in arrows for name in arrow} <= nodes
    assert sum(line.strip() == "end" for line in lines) == text.count("subgraph ")
