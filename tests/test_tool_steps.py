"""The step in which a model uses scripts and flows, against both stand-ins."""

import json
import re
import threading

import pytest

from scripts import chat_steps
from scripts.catalog.pricing import spent_on
from scripts.client import TogetherError
from scripts.json_schema.checker import check_schema, problems
from scripts.tool_calling.model_arguments import arguments_of, strangers
from scripts.tool_calling.tool_schema import without_fixed
from scripts.tool_calling.tool_steps import message_of
from scripts.tool_calling.tools import Tool
from tests.support.canned_chat import MODEL, asked, price, say, usage
from tests.support.expected_request import main_of
from tools.local.job_runner import run
from tools.operations import find
from tools.sandbox import Fault

CALL = main_of(find("chat/call_tools"))
SCHEMA = {
    "type": "object",
    "order": ["db", "number"],
    "properties": {
        "db": {"type": "object", "format": "resource-postgresql", "description": ""},
        "number": {
            "type": "integer",
            "description": "of the order",
            "default": None,
            "min": 1,
        },
        "kind": {"type": "string", "enum": ["a", "b"], "originalType": "string"},
        "model": {"type": "object", "format": "dynselect-model"},
        "file": {"type": "object", "format": "resource-s3_object"},
        "odd": {"type": "any", "pattern": "(?<n>x)", "required": True},
    },
    "required": ["number"],
}
FIND = {"path": "f/shop/find_order"}


@pytest.fixture
def shop(workspace):
    """A workspace with a script that finds orders, and a flow that cancels them."""

    def find_order(number, **others):
        return {"number": number, "state": "sent", **others}

    workspace.register(
        "f/shop/find_order", find_order, schema=SCHEMA, summary="Finds an order."
    )
    database = {"value": {"host": "db"}, "resource_type": "postgresql"}
    workspace.resources["f/shop/db"] = database
    workspace.register(
        "f/shop/cancel", lambda number: f"cancelled {number}", kind="flow"
    )
    return workspace


def calling(*calls, **members):
    """A message that calls tools: (name, arguments)."""
    return {
        "content": None,
        **members,
        "tool_calls": [
            {
                "id": f"c{number}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for number, (name, given) in enumerate(calls)
        ],
    }


def use(auth, *tools, **arguments):
    return CALL(auth, "Where is order 12?", list(tools), MODEL, **arguments)


def test_a_model_uses_a_script_and_answers(sandbox, shop, auth, capsys):
    say(sandbox, calling(("find_order", {"number": 12})), "It was sent.")

    found = use(auth, FIND, system="Be brief.", max_tokens=99)

    result = {"number": 12, "state": "sent"}
    assert "It was sent." == found["text"]
    (call,) = found["calls"]
    seconds = call.pop("seconds")
    assert seconds > 0
    assert call == {
        "tool": "find_order",
        "arguments": {"number": 12},
        "result": result,
        "error": None,
    }
    assert (1, "stop", MODEL) == (
        found["rounds"],
        found["finish_reason"],
        found["model"],
    )
    assert 2 * usage()["total_tokens"] == found["usage"]["total_tokens"]
    assert found["cost_usd"] == pytest.approx(2 * price(21, 27))
    roles = ["system", "user", "assistant", "tool", "assistant"]
    assert roles == [message["role"] for message in found["messages"]]
    assert found["messages"][:4] == asked(sandbox)[1]["messages"]
    assert result == json.loads(found["messages"][3]["content"])
    assert "c0" == found["messages"][3]["tool_call_id"]
    assert all(body["max_tokens"] == 99 for body in asked(sandbox))
    log = capsys.readouterr().err
    assert 'round 1: find_order({"number": 12}) answered {"number": 12' in log


def test_the_sandbox_s_model_calls_a_tool_by_itself(sandbox, shop, auth):
    found = use(auth, FIND)

    assert {"number": 1} == found["calls"][0]["arguments"]
    assert 'The tool says: {"number": 1' in found["text"]


def test_the_script_s_own_schema_and_summary_are_offered(sandbox, shop, auth):
    use(auth, FIND)

    (tool,) = asked(sandbox)[0]["tools"]
    assert "Finds an order" == tool["function"].pop("description")
    assert tool == {
        "type": "function",
        "function": {
            "name": "find_order",
            "parameters": {
                "type": "object",
                "properties": {
                    "number": {
                        "type": "integer",
                        "description": "of the order",
                        "minimum": 1,
                    },
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "model": {"type": "string"},
                    "file": {"type": "object"},
                    "odd": {},
                },
                "required": ["number"],
            },
        },
    }


def test_what_the_row_says_wins_over_the_script_s_own(sandbox, shop, auth):
    parameters = {
        "type": "object",
        "properties": {"number": {"type": "integer"}},
        "required": ["number"],
    }
    row = {
        **FIND,
        "name": "order",
        "description": "Looks up.",
        "parameters": parameters,
        "arguments": {"db": "$res:f/shop/db", "number": 7},
    }
    say(sandbox, calling(("order", {"number": 12})), "Well.")
    found = use(auth, row)

    (tool,) = asked(sandbox)[0]["tools"]
    assert {"name": "order", "description": "Looks up.", "parameters": parameters} == (
        tool["function"]
    )
    # A fixed argument is not the model's to change.
    assert {"number": 7, "state": "sent", "db": {"host": "db"}} == (
        found["calls"][0]["result"]
    )


def test_what_the_form_sends_is_what_was_filled_in(sandbox, shop, auth):
    empty = {"type": "object", "properties": {}, "required": [], "order": []}
    row = {"parameters": {"label": "Editor", "value": empty}, "arguments": None}
    found = use(auth, {**FIND, **row}, system=None, budget_usd=None)

    assert "find_order" == found["calls"][0]["tool"]
    assert (
        "number"
        in (asked(sandbox)[0]["tools"][0]["function"]["parameters"]["properties"])
    )


def test_fixed_arguments_are_not_offered(sandbox, shop, auth):
    use(auth, {**FIND, "arguments": {"number": 12}})

    parameters = asked(sandbox)[0]["tools"][0]["function"]["parameters"]
    assert "number" not in parameters["properties"]
    assert [] == parameters["required"]


def test_flows_are_tools_too(sandbox, shop, auth):
    say(sandbox, calling(("cancel", {"number": 3})), "Done.")

    found = use(auth, {"path": "f/shop/cancel", "kind": "flow"})

    assert "cancelled 3" == found["calls"][0]["result"]
    assert "cancelled 3" == found["messages"][2]["content"]


def test_calls_of_one_round_run_at_once_and_are_told_in_order(sandbox, shop, auth):
    together = threading.Barrier(3, timeout=60)

    def meet(number):
        together.wait()
        return number

    shop.register("f/shop/meet", meet)
    calls = [("meet", {"number": n}) for n in (3, 1, 2)]
    say(sandbox, calling(*calls), "Done.")

    found = use(auth, {"path": "f/shop/meet"})

    assert [3, 1, 2] == [call["result"] for call in found["calls"]]
    told = [m for m in found["messages"] if m["role"] == "tool"]
    assert [("c0", "3"), ("c1", "1"), ("c2", "2")] == [
        (m["tool_call_id"], m["content"]) for m in told
    ]


def test_a_tool_s_failure_goes_back_to_the_model(sandbox, shop, auth, capsys):
    def fail(**_):
        raise ValueError("the database sleeps")

    shop.register("f/shop/find_order", fail)
    say(sandbox, calling(("find_order", {})), "I could not find out.")

    found = use(auth, FIND)

    assert "I could not find out." == found["text"]
    assert found["calls"][0]["result"] is None
    assert "the database sleeps" in found["calls"][0]["error"]
    assert "the database sleeps" in json.loads(found["messages"][2]["content"])["error"]
    assert "find_order({}) failed: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("lookup", {"number": 1}, "no tool 'lookup'; there are find_order"),
        ("", {"number": 1}, "no tool 'unnamed'"),
        ("find_order", {}, "arguments.number is required"),
        ("find_order", {"number": "x"}, "arguments.number must be a whole number"),
        ("find_order", {"number": 0}, "arguments.number must be at least 1"),
        ("find_order", '{"number": 1', "the arguments are not JSON"),
        ("find_order", "[1]", "must be a JSON object"),
        ("find_order", "", "arguments.number is required"),
    ],
)
def test_a_wrong_call_is_explained_to_the_model(
    name, given, words, sandbox, shop, auth
):
    say(sandbox, calling((name, given)), "Sorry.")

    found = use(auth, FIND)

    assert words in found["calls"][0]["error"]
    assert words in json.loads(found["messages"][2]["content"])["error"]
    assert "Sorry." == found["text"]
    assert not shop.jobs


def test_after_the_last_round_the_model_answers_without_tools(sandbox, shop, auth):
    def eager(body, whole):
        message = {"role": "assistant", **calling(("find_order", {"number": 1}))}
        if body.get("tool_choice") == "none":
            message["content"] = "Enough."
        whole["choices"][0]["message"] = message
        return whole

    say(sandbox, eager)
    found = use(auth, FIND, max_rounds=2)

    assert "Enough." == found["text"]
    assert (2, 2, 3) == (found["rounds"], len(found["calls"]), len(asked(sandbox)))
    assert "tool_calls" not in found["messages"][-1]
    assert "more calls" in found["note"]


def test_calls_without_ids_and_with_objects_are_understood(sandbox, shop, auth):
    call = {"function": {"name": "find_order", "arguments": {"number": 5}}}
    say(sandbox, {"content": "", "tool_calls": [call], "reasoning": "Hm."}, "Well.")

    found = use(auth, FIND)

    assert {"number": 5} == found["calls"][0]["arguments"]
    message = asked(sandbox)[1]["messages"][1]
    assert "Hm." == message["reasoning"]
    assert message["tool_calls"][0]["id"] == found["messages"][2]["tool_call_id"]
    assert '{"number": 5}' == message["tool_calls"][0]["function"]["arguments"]


def test_a_long_result_is_cut_for_the_model_alone(sandbox, shop, auth):
    shop.register("f/shop/find_order", lambda **_: "x" * 60_000)
    say(sandbox, calling(("find_order", {})), "Long.")

    found = use(auth, FIND)

    assert 60_000 == len(found["calls"][0]["result"])
    assert found["messages"][2]["content"].endswith("(10000 more characters left out)")


def test_what_was_done_is_kept_when_a_later_request_fails(sandbox, shop, auth):
    def then_fail(body, whole):
        sandbox.faults.append(Fault("chat/completions", 402))
        whole["choices"][0]["message"] = calling(("find_order", {"number": 1}))
        return whole

    say(sandbox, then_fail)

    with pytest.raises(TogetherError, match="402") as caught:
        use(auth, FIND)

    assert caught.value.may_be_paid
    partial = caught.value.partial
    assert "sent" == partial["calls"][0]["result"]["state"]
    assert partial["cost_usd"] == pytest.approx(price(21, 27))
    assert "tool" == partial["messages"][-1]["role"]


def test_the_budget_ends_the_calls(sandbox, shop, auth):
    say(sandbox, calling(("find_order", {"number": 1})))

    with pytest.raises(TogetherError, match="is used up") as caught:
        use(auth, FIND, max_tokens=20, budget_usd=price(1200, 20))

    assert 1 <= len(asked(sandbox)) <= 3
    assert len(asked(sandbox)) == len(caught.value.partial["calls"])


NEEDY = {**SCHEMA, "required": ["number", "db"]}


@pytest.mark.parametrize(
    ("tools", "field", "words"),
    [
        ([{"path": "f/shop/nothing"}], "tools[0].path", "cannot be used"),
        ([{**FIND, "kind": "flow"}], "tools[0].path", "cannot be used"),
        ([{**FIND, "kind": "app"}], "tools[0].kind", "must be one of"),
        ([{"name": "x"}], "tools[0].path", "is required"),
        ([FIND, FIND], "tools[1].name", "f/shop/find_order too"),
        ([{**FIND, "name": "find order"}], "tools[0].name", "letters"),
        (
            [{**FIND, "parameters": {"type": "x"}}],
            "tools[0].parameters.type",
            "must be",
        ),
        ([{"path": "f/shop/needy"}], "tools[0].arguments", "needs db"),
        ([], "tools", "is required"),
        ([{**FIND, "approval": True}], "tools[0].approval", "flows/run_agent"),
        ([FIND, {**FIND, "argument": {"a": 1}}], "tools[1]", "has 'argument'"),
        ([{**FIND, "Arguments": {"a": 1}}], "tools[0]", "none of path, kind"),
        (
            [{"mcp": "http://127.0.0.1:9", "description": "x"}],
            "tools[0].description",
            "is for a path",
        ),
        (
            [{"mcp": "http://127.0.0.1:9", "parameters": SCHEMA}],
            "tools[0].parameters",
            "is for a path",
        ),
        (
            [{**FIND, "parameters": {"items": {"unevaluatedItems": False}}}],
            "tools[0].parameters.items.unevaluatedItems",
            "is not checked here",
        ),
    ],
)
def test_tools_that_cannot_be_used_are_refused_by_name(
    tools, field, words, sandbox, shop, auth
):
    shop.register("f/shop/needy", lambda **_: 1, schema=NEEDY)

    with pytest.raises(TogetherError) as caught:
        CALL(auth, "Well?", tools, MODEL)

    assert field == caught.value.problems[0]["field"]
    assert words in str(caught.value)
    assert not asked(sandbox)


def test_what_a_row_leaves_open_is_no_fault(sandbox, shop, auth):
    say(sandbox, "Sent.")
    row = {**FIND, "approval": False, "argument": None, "arguments": {}}

    assert use(auth, row)["text"] == "Sent."


def test_a_first_question_that_is_refused_costs_nothing(sandbox, shop, auth):
    sandbox.faults.append(Fault("chat/completions", 402))

    with pytest.raises(TogetherError, match="402") as caught:
        use(auth, FIND)

    assert not caught.value.may_be_paid
    assert spent_on(caught.value) == 0.0


@pytest.mark.parametrize("schema", ["x", ["x"], {"properties": ["number"]}])
def test_a_script_whose_schema_is_none_is_refused_by_name(schema, sandbox, shop, auth):
    shop.register("f/shop/odd", lambda **_: 1, schema=schema)

    with pytest.raises(TogetherError, match="cannot be read") as caught:
        CALL(auth, "Well?", [{"path": "f/shop/odd"}], MODEL)

    assert caught.value.problems[0]["field"] == "tools[0].path"
    assert not asked(sandbox)


def test_a_resource_that_is_needed_may_be_fixed(sandbox, shop, auth):
    shop.register("f/shop/needy", lambda number, db: db, schema=NEEDY)

    tool = {"path": "f/shop/needy", "arguments": {"db": "$res:f/shop/db"}}
    assert {"host": "db"} == use(auth, tool)["calls"][0]["result"]


def test_outside_windmill_nothing_is_asked(sandbox, auth, monkeypatch):
    for name in ("WM_TOKEN", "WM_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(TogetherError, match="not a Windmill job"):
        use(auth, FIND)
    assert not asked(sandbox)


def test_tools_run_with_the_job_s_own_token(sandbox, shop, auth):
    use(auth, FIND)

    for request in shop.requests:
        token = shop.environment["WM_TOKEN"]
        assert f"Bearer {token}" == request.headers["authorization"]


@pytest.mark.slow
def test_a_worker_runs_it(sandbox, shop, auth):
    arguments = {"model": MODEL, "prompt": "Where is it?", "tools": [FIND]}
    job = run("chat/call_tools", {"auth": auth, **arguments})

    assert not job.failed, job.result
    assert "sent" == job.result["calls"][0]["result"]["state"]
    assert "round 1: find_order" in job.log


# --- what a model must not give ----------------------------------------------------

SECRET = "the value of a secret"
WORDS = ["$var:", "$jsonvar:", "$res:", "$encrypted:"]
NESTED = {
    "type": "object",
    "properties": {
        "mail": {
            "type": "object",
            "properties": {
                "to": {"type": "string"},
                "smtp": {"type": "object", "format": "resource-smtp"},
                "more": {"type": "array", "items": {"type": "object"}},
            },
            "required": ["to", "smtp"],
        },
        "logs": {"type": "array", "items": {"type": "resource", "resourceType": "s"}},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "number"}}},
        },
        "text": {"type": "string"},
    },
}


@pytest.fixture
def mail(workspace):
    """A workspace with a secret and a tool that says what it was given."""
    workspace.variables["u/admin/secret"] = SECRET
    kept = {"value": {"password": SECRET}, "resource_type": "smtp"}
    workspace.resources["u/admin/smtp"] = kept
    workspace.register("f/mail/send", lambda **given: given, schema=NESTED)
    return workspace


def given_by_model(sandbox, auth, arguments, **tool):
    """Let a model call the tool; (the call in the result, all that was sent)."""
    say(sandbox, calling(("send", arguments)), "Done.")
    found = use(auth, {"path": "f/mail/send", **tool})
    assert "Done." == found["text"]
    told = json.loads(found["messages"][-2]["content"])
    assert SECRET not in json.dumps([found, asked(sandbox)])
    return found["calls"][0], told


@pytest.mark.parametrize(
    "arguments",
    [
        *({"text": f"{word}u/admin/secret"} for word in WORDS),
        {"text": f" as it says {WORDS[0]}u/admin/secret"},
        {"text": "\\u0024var:u/admin/secret"},
        '{"text": "\\u0024var:u/admin/secret"}',
        {"text": "$WM_TOKEN"},
        {"text": "$HOME"},
        {"mail": {"more": [{"deep": [{"$var:u/admin/secret": 1}]}]}},
        {"mail": {"more": [{"deep": [[["$res:u/admin/smtp"]]]}]}},
    ],
)
def test_a_model_s_references_are_refused_and_it_is_told(
    sandbox, mail, auth, arguments
):
    call, told = given_by_model(sandbox, auth, arguments)

    assert call["result"] is None
    assert "without the $" in call["error"]
    assert call["error"] == told["error"]
    assert not mail.jobs


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"_ENTRYPOINT_OVERRIDE": "other"}, "Windmill keeps for itself"),
        ({"wm_trigger": {}}, "Windmill keeps for itself"),
        ({"mail": {"to": "a", "bcc": "b"}}, "arguments.mail.bcc is no parameter"),
        (
            {"mail": {"to": "a", "more": [{"_x": 1}]}},
            "arguments.mail.more[0]._x is a name",
        ),
        ({"rows": [{"id": 1}, {"ID": 2}]}, "arguments.rows[1].ID is no parameter"),
        ({"mail": {"to": "a", "smtp": {"host": "x"}}}, "arguments.mail.smtp is a reso"),
        ({"logs": [{}]}, "arguments.logs is"),
        ({"extra": 1}, "arguments.extra is no parameter"),
    ],
)
@pytest.mark.parametrize("parameters", [None, {"type": "object"}])
def test_a_model_gives_what_the_tool_takes_and_nothing_else(
    sandbox, mail, auth, arguments, problem, parameters
):
    row = {"parameters": parameters} if parameters else {}
    call, _ = given_by_model(sandbox, auth, arguments, **row)

    assert problem in call["error"]
    assert not mail.jobs


def test_parameters_that_a_row_gives_are_all_that_a_model_may_give(sandbox, mail, auth):
    own = {
        "type": "object",
        "properties": {
            "mail": {
                "anyOf": [
                    {"$ref": "#/$defs/mail"},
                    {"allOf": [{"$ref": "#/$defs/mail"}]},
                ]
            },
            "rows": {"type": "array", "items": {"additionalProperties": True}},
        },
        "$defs": {"mail": {"properties": {"to": {"type": "string"}}}},
    }
    fine = {"mail": {"to": "a"}, "rows": [{"any": {"thing": 1}}]}
    call, told = given_by_model(sandbox, auth, fine, parameters=own)
    assert fine == call["result"] == told

    for wrong in ({"text": "x"}, {"mail": {"to": "a", "more": []}}):
        call, _ = given_by_model(sandbox, auth, wrong, parameters=own)
        assert "is no parameter of the tool" in call["error"]


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ({"logs": {"type": "array"}}, "logs"),
        ({"mail": {"properties": {"smtp": {}}}}, "mail.smtp"),
        ({"other": {"type": "object", "format": "resource-smtp"}}, "other"),
        (
            {"rows": {"items": {"properties": {"x": {"format": "resource-a"}}}}},
            "rows[].x",
        ),
    ],
)
def test_a_resource_is_not_offered_to_a_model(sandbox, mail, auth, named, place):
    with pytest.raises(TogetherError, match="which is a resource") as raised:
        use(
            auth,
            {
                "path": "f/mail/send",
                "parameters": {"type": "object", "properties": named},
            },
        )

    (problem,) = raised.value.problems
    assert f"offers {place}," in problem["problem"]
    assert not asked(sandbox)


def test_resources_within_are_not_offered_either(sandbox, mail, auth):
    use(auth, {"path": "f/mail/send"})

    offered = asked(sandbox)[0]["tools"][0]["function"]["parameters"]["properties"]
    assert {"mail", "rows", "text"} == offered.keys()
    assert {"to", "more"} == offered["mail"]["properties"].keys()
    assert ["to"] == offered["mail"]["required"]


def test_large_whole_numbers_of_a_model_are_told_as_text(sandbox, mail, auth):
    call, _ = given_by_model(sandbox, auth, {"rows": [{"id": 12345678901234567890}]})

    assert {"rows": [{"id": "12345678901234567890"}]} == call["arguments"]
    (job,) = mail.jobs.values()
    assert {"rows": [{"id": 12345678901234567890}]} == job.arguments


def sent_back(sandbox):
    """The calls that the second request hands back to the model."""
    (message,) = [m for m in asked(sandbox)[1]["messages"] if m.get("tool_calls")]
    return message["tool_calls"]


@pytest.mark.parametrize(
    "given", ['{"number": 1', "[1]", "null", "", '"x"', "NaN", "5", '{"number": NaN}']
)
def test_what_is_handed_back_a_server_can_check(given, sandbox, shop, auth):
    say(sandbox, calling(("find_order", given)), "Sorry.")

    found = use(auth, FIND)

    (call,) = sent_back(sandbox)
    arguments = call["function"]["arguments"]
    assert isinstance(json.loads(arguments, parse_constant=pytest.fail), dict)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", ["", "a b", "<x>", "n" * 99, "f\u00fcr", None, 5])
def test_names_that_are_handed_back_fit_the_service(name, sandbox, shop, auth):
    say(sandbox, calling((name, {"number": 1})), "Sorry.")

    use(auth, FIND)

    (call,) = sent_back(sandbox)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", call["function"]["name"])


@pytest.mark.parametrize("ids", [("a", "a"), (None, None), (7, 7), ("", "")])
def test_ids_that_are_handed_back_differ_and_are_texts(ids, sandbox, shop, auth):
    message = calling(("find_order", {"number": 1}), ("find_order", {"number": 2}))
    for call, number in zip(message["tool_calls"], ids, strict=True):
        call["id"] = number
    say(sandbox, message, "Done.")

    found = use(auth, FIND)

    back = [call["id"] for call in sent_back(sandbox)]
    assert len({*back}) == 2
    assert all(isinstance(one, str) and one for one in back)
    told = [m["tool_call_id"] for m in found["messages"] if m["role"] == "tool"]
    assert told == back


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_thoughts_go_back_as_they_came(name, sandbox, shop, auth):
    say(sandbox, calling(("find_order", {"number": 1}), **{name: "Hm."}), "Done.")

    use(auth, FIND)

    (message,) = [m for m in asked(sandbox)[1]["messages"] if m.get("tool_calls")]
    assert message[name] == "Hm."


@pytest.mark.parametrize("given", ['{"number": "a\\u0000"}', '{"number": "\\ud83d"}'])
def test_a_refused_call_can_be_a_result(given, sandbox, shop, auth):
    say(sandbox, calling(("find_order", given)), "Sorry.")

    found = use(auth, FIND)

    assert found["calls"][0]["error"]
    text = json.dumps(found, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()


def test_null_is_nothing_where_an_argument_may_be_left_out(sandbox, shop, auth):
    say(sandbox, calling(("find_order", {"number": 3, "kind": None})), "Done.")

    found = use(auth, FIND)

    assert found["calls"][0]["error"] is None
    assert found["calls"][0]["result"]["number"] == 3
    assert found["calls"][0]["result"].get("kind") is None


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ({"type": "object"}, True),
        ({"properties": {"order": {"type": "string"}}}, True),
        ({"properties": {"note": {"type": "string"}}}, False),
        ({"properties": {"note": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}, True),
        ({"properties": {}, "additionalProperties": False}, False),
    ],
)
def test_a_null_that_a_tool_need_not_get_is_left_out(parameters, kept):
    tool = Tool.__new__(Tool)
    tool.parameters = parameters

    assert ("note" in tool.without_nulls({"note": None})) is kept


def test_arguments_that_no_state_can_hold_are_refused():
    for deep in (61, 97):
        with pytest.raises(TogetherError, match="nested"):
            arguments_of('{"a":' + "[" * deep + "1" + "]" * deep + "}")
    assert arguments_of('{"a": [[1]]}') == {"a": [[1]]}


@pytest.mark.parametrize(
    "message",
    [
        calling(("functions.find_order", {"number": 12})),
        calling(("find_order<|channel|>commentary", {"number": 12})),
        calling((" find_order ", {"number": 12})),
        {
            "content": None,
            "function_call": {"name": "find_order", "arguments": '{"number": 12}'},
        },
    ],
)
def test_a_call_in_another_dress_is_made(message, sandbox, shop, auth):
    say(sandbox, message, "It was sent.")

    found = use(auth, FIND)

    assert [call["tool"] for call in found["calls"]] == ["find_order"]
    assert found["calls"][0]["error"] is None


@pytest.mark.parametrize(
    "choices",
    [
        lambda message: [{"index": 0, "delta": message}],
        lambda message: [
            {"index": 1, "message": {"content": "No.", "reasoning": "Another's."}},
            {"index": 0, "message": message},
        ],
    ],
    ids=["delta", "order"],
)
def test_calls_and_thoughts_are_of_one_choice(choices, sandbox, shop, auth):
    message = {**calling(("find_order", {"number": 12})), "reasoning": "Hm."}
    say(sandbox, lambda _, whole: {**whole, "choices": choices(message)}, "Sent.")

    found = use(auth, FIND)

    assert found["text"] == "Sent."
    assert found["messages"][1]["reasoning"] == "Hm."
    assert found["calls"][0]["error"] is None


def test_ids_of_calls_never_repeat():
    used: set = set()
    function = {"name": "a", "arguments": "{}"}
    for ids in ([None, "call_1_1"], ["call_1_2", "call_1_2"], [None, None]):
        wanted = [{"id": known, "function": function} for known in ids]
        answer = {"choices": [{"message": {"tool_calls": wanted}}]}
        found = chat_steps.parse_completion(answer)
        message_of(answer, found, wanted, 0, used)
    assert len(used) == 6


@pytest.mark.parametrize("seconds", [2.1, 60])
def test_the_time_ends_the_calls_and_keeps_them(seconds, sandbox, shop, auth):
    """Between two requests, and also while a tool is at work, which is cancelled."""
    ended = threading.Event()
    shop.register(
        "f/shop/slow",
        lambda number: ended.wait(seconds),
        schema=SCHEMA,
        summary="Slow.",
    )
    say(sandbox, calling(("slow", {"number": 1})), "It was sent.")

    with pytest.raises(TogetherError, match="stop_after_seconds") as caught:
        use(auth, {"path": "f/shop/slow"}, stop_after_seconds=2)
    ended.set()

    assert caught.value.type == "deadline"
    assert len(asked(sandbox)) == 1
    (call,) = caught.value.partial["calls"]
    assert call["tool"] == "slow"
    # A tool that is over about when the time is may have been cancelled, or not.
    assert seconds < 3 or "was cancelled" in call["error"]
    assert caught.value.partial["cost_usd"] > 0


def test_members_that_depend_on_others_are_parameters_too():
    parameters = {
        "type": "object",
        "properties": {"to": {"type": "string"}},
        "if": {"required": ["to"]},
        "then": {"properties": {"subject": {"type": "string"}}},
        "else": {"properties": {"list": {"type": "string"}}},
        "dependentSchemas": {"to": {"properties": {"text": {"type": "string"}}}},
    }
    given = {"to": "a", "subject": "b", "list": "c", "text": "d"}

    assert list(strangers(given, [parameters], parameters, "arguments")) == []
    (one,) = strangers({"other": 1}, [parameters], parameters, "arguments")
    assert one["field"] == "arguments.other"


def test_a_name_that_is_too_long_for_a_pattern_is_told_to_the_model():
    tool = Tool.__new__(Tool)
    tool.schema = tool.fixed = {}
    tool.parameters = {"type": "object", "patternProperties": {"^(a+)+$": True}}

    wrong = tool.faults({"a" * 400_000: 1})

    assert "has a name that can be matched" in wrong[0]["problem"]


# --- what a fixed argument leaves ---------------------------------------------------

TEXT = {"type": "string", "maxLength": 3}
REFER = [
    {"$ref": "#/properties/a"},
    {"$ref": "#/%70roperties/a"},
    {"$ref": "#/$defs/alike"},
    {"allOf": [{"$ref": "#/properties/a"}]},
]


def parameters_of(member, **words):
    """The parameters of a tool that has `a` and `b`, the second as it is given."""
    whole = {"type": "object", "properties": {"a": TEXT, "b": member}, **words}
    whole["$defs"] = {"alike": {"$ref": "#/properties/a"}, "whole": {}}
    return {**whole, "additionalProperties": False}


@pytest.mark.parametrize("member", REFER)
def test_what_refers_to_a_fixed_argument_says_the_same_without_it(member):
    offered = without_fixed(parameters_of(member, required=["a", "b"]), {"a": "x"})

    check_schema(offered, "schema")
    assert (offered["properties"].keys(), offered["required"]) == ({"b"}, ["b"])
    assert problems({"b": "abc"}, offered) == []
    (wrong,) = problems({"b": "abcd"}, offered)
    assert wrong["field"] == "answer.b"
    assert offered["$defs"]["whole"] == {}


def test_a_fixed_argument_is_open_again_further_within():
    tree = {"type": "array", "items": {"$ref": "#"}}
    offered = without_fixed(parameters_of(tree, required=["a"]), {"a": "x"})

    assert problems({"b": [{"a": "abc", "b": []}]}, offered) == []
    deep = [{"a": "abc", "b": [{"a": "abcd"}]}]
    fields = [one["field"] for one in problems({"b": deep}, offered)]
    assert fields == ["answer.b[0].b[0].a"]
    assert list(strangers({"b": deep}, [offered], offered, "answer")) == []
    (one,) = strangers({"a": "abc"}, [offered], offered, "answer")
    assert one["field"] == "answer.a"


@pytest.mark.parametrize(
    "member",
    [
        {"enum": [{"$ref": "#/properties/a"}]},
        {"const": {"$ref": "#"}},
        {"type": "object", "properties": {"$ref": TEXT, "enum": TEXT}},
        {"$ref": "#/properties/c/items"},
        {"$ref": "#/$defs/whole"},
    ],
)
def test_what_refers_to_no_fixed_argument_is_offered_as_it_is(member):
    whole = parameters_of(member)
    del whole["$defs"]["alike"]
    whole["properties"]["c"] = {"items": TEXT}

    offered = without_fixed(whole, {"a": "x"})

    del whole["properties"]["a"]
    assert offered == {**whole, "required": []}


@pytest.mark.parametrize(
    "words",
    [
        {"allOf": [{"required": ["a"]}]},
        {"anyOf": [{"required": ["a"]}, {"required": ["b"], "minProperties": 2}]},
        {"dependentRequired": {"b": ["a"]}},
        {"then": {"required": ["a"]}, "if": {"required": ["b"]}},
    ],
)
def test_what_is_fixed_is_not_asked_of_a_model(words):
    tool = Tool.__new__(Tool)
    tool.schema, tool.fixed = {}, {"a": "x"}
    tool.parameters = without_fixed(parameters_of(TEXT, **words), tool.fixed)

    assert tool.faults({"b": "abc"}) == []
    (wrong,) = tool.faults({"b": "abcd"})
    assert wrong["field"] == "arguments.b"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {}, "required": 5}, "cannot be read"),
        ({"properties": {"number": {}}, "required": [{}]}, "cannot be read"),
        ({"properties": {"number": {"properties": 5, "oneOf": [True]}}}, None),
        ({"properties": {"number": {"items": [5], "oneOf": 5}}}, None),
    ],
)
@pytest.mark.parametrize("parameters", [None, {"properties": {"number": {}}}])
def test_an_odd_schema_of_a_script_is_no_crash(
    schema, words, parameters, sandbox, shop, auth
):
    shop.register("f/shop/odd", lambda number: 1, schema=schema)
    say(sandbox, calling(("odd", {"number": {"a": [1]}})), "Done.")
    row = {"path": "f/shop/odd", "parameters": parameters}

    if words:
        with pytest.raises(TogetherError, match=words):
            use(auth, row)
        assert not asked(sandbox)
    else:
        assert use(auth, row)["calls"][0]["result"] == 1


def test_what_a_row_fixes_is_not_asked_of_a_model_by_its_parameters(
    sandbox, shop, auth
):
    members = {"number": {"type": "integer"}, "other": {"$ref": "#/properties/number"}}
    parameters = {"type": "object", "properties": members, "required": [*members]}
    row = {**FIND, "parameters": parameters, "arguments": {"number": 7}}
    say(sandbox, calling(("find_order", {"other": 8})), "Done.")

    (call,) = use(auth, row)["calls"]

    assert call["result"] == {"number": 7, "other": 8, "state": "sent"}
