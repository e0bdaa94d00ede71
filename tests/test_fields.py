"""What is said of arguments that cannot be used: in words that whoever fills in the
form can act on, and by the names that it shows."""

import base64
import re

import pytest

from scripts.client import TogetherError
from scripts.resilience.fields import like, unknown_names, with_reasons, with_titles
from tests.conftest import KEY
from tests.support.byte_server import ByteServer, Thing
from tests.support.expected_request import main_of
from tools.operations import find, scripts, steps

NOWHERE = {"api_key": KEY, "base_url": "http://127.0.0.1:9"}


def refused(script, **arguments):
    with pytest.raises(TogetherError) as caught:
        main_of(find(script))(NOWHERE, **arguments)
    assert caught.value.type == "invalid_argument"
    return caught.value


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        (
            "organization/report_usage",
            {"since": "yesterday"},
            'since cannot be "yesterday": First day, such as 2026-11-01. Left empty: '
            "the first of the last day's month; with no last day either, of "
            "yesterday's month.",
        ),
        (
            "organization/call_operation",
            {"method": "GET", "path": "models"},
            'path cannot be "models": From the version on, such as /v1/models. Put ids '
            "in place; a query goes below.",
        ),
        (
            "waits/start_flow",
            {"path": "sales/weekly"},
            'Flow (path) cannot be "sales/weekly": Path of the flow, such as '
            "f/sales/weekly.",
        ),
        (
            "chat/ask_model",
            {"prompt": "a", "max_tokens": "many"},
            'Longest answer (max_tokens) must be a whole number (got "many")',
        ),
        (
            "chat/ask_model",
            {"prompt": "a", "model": "other"},
            "Model (id) (other_model) is empty, and model is 'other': write the "
            "model's id here",
        ),
        (
            "images/create_picture",
            {"prompt": "a", "model": "m", "n": 0},
            "How many (n) must be at least 1 (got 0)",
        ),
        (
            "audio/transcribe_recording",
            {"model": "m", "recording": 5},
            "recording must be a file (got 5)",
        ),
        (
            "chat/map_rows",
            {"model": "m", "template": "{{Name}}", "rows": [{"name": 1}]},
            "Question (template) names the column 'Name', which no row has (is 'name' "
            "meant?). The columns are: name",
        ),
        (
            "chat/map_rows",
            {"model": "m", "template": "a", "rows": []},
            "rows is required, and is empty",
        ),
        (
            "chat/map_rows",
            {"model": "m", "template": "", "rows": None},
            "Question (template) is required, and is empty; rows is required",
        ),
        (
            "chat/classify_text",
            {"model": "m", "text": "a", "labels": [{"name": "b"}, {"name": " B"}]},
            "Categories (labels[1].name) is 'B', as labels[0].name is: two categories "
            "need two names",
        ),
        (
            "chat/classify_text",
            {"model": "m", "text": "a", "labels": [{"name": "b"}]},
            "Categories (labels) holds one category alone: give those to choose from",
        ),
        (
            "chat/classify_text",
            {"model": "m", "text": " \n", "labels": [{"name": "b"}, {"name": "c"}]},
            "text is blank: there is nothing to classify",
        ),
        (
            "chat/ask_model",
            {"prompt": "a", "model": "m", "pictures": [{"path": "a.png"}]},
            "pictures[0] has none of file, url, s3, text or rows, of which one must be "
            "there (it has 'path')",
        ),
        *(
            (
                script,
                {"model": "m", "pictures": ["https://a.example/b.png", text], **more},
                f"{named} is no picture: give its address (https://...), a file or "
                "base64",
            )
            for script, more, named in (
                ("chat/ask_model", {"prompt": "a"}, "pictures[1]"),
                ("chat/extract_structured", {"fields": ["a"]}, "pictures[1]"),
                (
                    "images/create_picture",
                    {"prompt": "a"},
                    "Reference pictures (pictures[1])",
                ),
            )
            for text in ("a.png", "/home/me/holidays/2026/beach.png")
        ),
        *(
            (
                script,
                {"model": "m", "prompt": "a", name: [{"url": "https://a.example"}, no]},
                f"{named} is {what}",
            )
            for script, name, named in (
                ("chat/ask_model", "pictures", "pictures[1]"),
                (
                    "images/create_picture",
                    "pictures",
                    "Reference pictures (pictures[1])",
                ),
            )
            for no, what in (
                (
                    {"file": base64.b64encode(b"%PDF-1.7 of some length").decode()},
                    "application/pdf and no picture",
                ),
                (
                    "data:audio/wav;base64,"
                    + base64.b64encode(b"RIFF    WAVE").decode(),
                    "audio/wav and no picture",
                ),
                ({"text": "of the sea"}, "text, and no picture"),
            )
        ),
        (
            "chat/create_chat_completion",
            {"body": {"model": "m", "mesages": []}},
            "body.messages is required (there is 'mesages': is it misspelt?)",
        ),
        (
            "chat/create_chat_completion",
            {"body": {"model": "m", "messages": []}},
            "body.messages is required, and is empty",
        ),
    ],
)
def test_a_mistake_is_told_in_words(script, arguments, words):
    assert str(refused(script, **arguments)) == f"Nothing was sent: {words}"


def test_the_problems_name_the_arguments_as_a_flow_does():
    error = refused("chat/ask_model", prompt="a", max_tokens=True)

    assert [one["field"] for one in error.problems] == ["max_tokens"]


def test_a_row_of_a_dataset_says_what_is_empty():
    rows = [{"question": "a", "answer": ""}]

    with pytest.raises(TogetherError, match=r"dataset\[0\] has nothing in answer$"):
        main_of(find("fine_tuning/prepare_dataset"))(NOWHERE, dataset=rows)


def test_every_argument_of_a_step_is_named_as_the_form_shows_it():
    """By its name where one guesses the title from it, else by both."""
    seen = 0
    for step in steps():
        table = main_of(step).__globals__["STEP"]["arguments"]["properties"]
        for name, member in step.arguments.items():
            title = member.get("title", name)
            error = TogetherError.refused(name, "must be another one")
            with_titles(error, table)
            shown = re.search(r"sent: (.*) must", str(error))[1]
            if title.lower().replace(" ", "_") == name.lower():
                assert shown == name
            else:
                seen += 1
                assert shown == f"{title} ({name})"
    assert seen > 60


def with_patterns():
    """Each pattern of a step or operation, with arguments that lead to it."""

    def collect(members):
        for name, member in members.items():
            if "pattern" in member:
                yield member, {name: "\u00e9"}
            for inner, given in collect(member.get("properties", {})):
                yield inner, {name: given}

    for script in scripts():
        for member, given in collect(script.arguments):
            yield pytest.param(script, member, given, id=f"{script.id}")


@pytest.mark.parametrize(("script", "member", "given"), [*with_patterns()])
def test_no_pattern_is_shown_to_whom_it_is_not_from(script, member, given):
    """But what describes the argument."""
    arguments = {**script.schema["examples"][0], **given}
    error = refused(script.id, **arguments)

    assert f'cannot be "\u00e9": {member["description"]}' in str(error)
    assert member["pattern"] not in str(error)


def test_a_name_is_told_by_its_title_once_and_as_a_whole():
    problems = [
        {"field": field, "problem": "must be less"} for field in ("top", "n", "top_n")
    ]
    error = TogetherError.refused_all(problems)

    with_titles(error, {"n": {"title": "How many"}, "top": {}})

    assert str(error) == (
        "Nothing was sent: top must be less; How many (n) must be less; top_n must be "
        "less"
    )


def test_a_name_that_the_schema_has_is_no_misspelt_one():
    found = [{"field": "body.models", "problem": "is required"}]
    members = {"body": {"properties": {"model": {}, "models": {}}}}

    with_reasons(found, {"body": {"model": "m"}}, members)

    assert found[0]["problem"] == "is required"


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("temprature", ["temperature", "top_p"], ["temperature"]),
        ("NAME", ["Name"], ["Name"]),
        ("x", ["text"], []),
        ("a", [], []),
    ],
)
def test_the_name_that_is_meant_is_like_it(name, names, meant):
    assert like(name, names) == meant


def test_a_member_that_is_not_known_is_sent_and_told(capsys):
    content = b'{"choices": [{"message": {"content": "a"}}]}'
    with ByteServer() as server:
        path = "/v1/chat/completions"
        server.things[path] = Thing(content, {"content-type": "application/json"})
        main_of(find("chat/create_chat_completion"))(
            {"api_key": KEY, "base_url": server.url},
            body={
                "model": "m",
                "messages": [{"role": "user", "content": "a"}],
                "temprature": 1,
                "brand_new": 2,
            },
        )

    out = capsys.readouterr().err
    assert "body.temprature is not known here, and sent as it is. Is temperature" in out
    assert "brand_new" not in out


def test_a_question_of_many_megabytes_is_no_result_of_many_megabytes():
    content = (
        b'data: {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": '
        b'"stop"}]}\n\ndata: [DONE]\n\n'
    )
    prompt = "long " * 400_000
    with ByteServer() as server:
        server.things["/v1/chat/completions"] = Thing(
            content, {"content-type": "text/event-stream"}
        )
        found = main_of(find("chat/ask_model"))(
            {"api_key": KEY, "base_url": server.url},
            prompt=prompt,
            model="m",
            system="short",
        )

    system, user, reply = (message["content"] for message in found["messages"])
    assert (system, reply) == ("short", "a")
    assert user == f"{prompt[:1000]} (The rest was left out.)"


FIELDS = {"body": {"properties": {"model": {}, "rows": {"items": [{"text": {}}]}}}}
EMPTY = "is required, and is empty"
REASONS = [
    # the arguments, the field that is said to be required, what is said then
    ({"body": {"model": ""}}, "body.model", EMPTY),
    ({"body": {"model": []}}, "body.model", EMPTY),
    ({"body": {"model": {}}}, "body.model", EMPTY),
    ({"body": {"model": 0}}, "body.model", "is required"),
    (
        {"body": {"modell": 1}},
        "body.model",
        "is required (there is 'modell': is it misspelt?)",
    ),
    ({"body": {"rows": 1}}, "body.row", "is required"),
    ({"body": {"items": 1}}, "body.item", "is required"),
    ({"body": {"text": 1}}, "body.texts", "is required"),
    ({"body": {"other": 1}}, "body.model", "is required"),
    ({"body": {}}, "body.model", "is required"),
    ({"body": [{"a": ""}, {"a": ""}]}, "body[1].a", EMPTY),
    ({"body": [1, ""]}, "body[1]", EMPTY),
    ({"body": [1]}, "body[1]", "is required"),
    ({"body": [1]}, "body.x", "is required"),
    ({"body": 5}, "body.7", "is required"),
    ({"modell": 1}, "body.model", "is required"),
]


@pytest.mark.parametrize(("arguments", "field", "words"), REASONS)
def test_what_is_required_is_missing_for_a_reason(arguments, field, words):
    other = {"field": "n", "problem": "must be text"}
    found = [other, {"field": field, "problem": "is required"}]

    with_reasons(found, arguments, FIELDS)

    assert found == [other, {"field": field, "problem": words}]


TITLED = {"a": {"title": "Name"}, "b": {}, "c": {"title": "Path \\1"}}
TITLES = [
    # the problems, the message before, and after
    ([("a", "is odd")], "No: a is odd", "No: Name (a) is odd"),
    ([("a.x", "is odd")], "No: a.x is odd", "No: Name (a.x) is odd"),
    ([("a[0]", "is odd")], "No: a[0] is odd", "No: Name (a[0]) is odd"),
    ([("b", "is odd")], "No: b is odd", "No: b is odd"),
    ([("d", "is odd")], "No: d is odd", "No: d is odd"),
    ([("a", "is odd")], "a is odd; a is odd", "Name (a) is odd; a is odd"),
    ([("a", "is odd")], "x.a is odd; a is odd", "x.a is odd; Name (a) is odd"),
    ([("a", "is odd")], "data is odd", "data is odd"),
    ([("a", "is odd")], "in a is odd", "in Name (a) is odd"),
    ([("a", "is odd")], "xa is odd; a is odd", "xa is odd; Name (a) is odd"),
    (
        [("a", "is odd"), ("a", "is odd")],
        "a is odd; a is odd",
        "Name (a) is odd; Name (a) is odd",
    ),
    (
        [("b", "is odd"), ("a", "is \\1")],
        "b is odd; a is \\1",
        "b is odd; Name (a) is \\1",
    ),
    ([("c", "is odd")], "c is odd", "Path \\1 (c) is odd"),
]


@pytest.mark.parametrize(("problems", "before", "after"), TITLES)
def test_a_message_names_a_field_once_as_the_form_does(problems, before, after):
    found = [{"field": field, "problem": words} for field, words in problems]
    error = TogetherError(before, problems=found)

    with_titles(error, TITLED)

    assert str(error) == after
    assert error.problems == found


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (
            {"modle": 1, 5: 2},
            ["body.modle is not known here, and sent as it is. Is model meant?"],
        ),
        ({"modle": 1, "model": 2}, []),
        ({"model": 1, "brand_new": 2}, []),
    ],
)
def test_a_member_that_looks_like_a_known_one_is_told(body, lines):
    assert unknown_names(body, ["model", "module_x"]) == lines


@pytest.mark.parametrize(
    ("name", "near"),
    [("modle", ["model"]), ("MODEL", ["model"]), ("model_x", ["model"]), ("mold", [])],
)
def test_the_name_that_is_most_alike_is_told_if_it_is_alike_enough(name, near):
    assert like(name, ["model", "modal_a"]) == near


def test_many_fields_are_named_in_the_order_of_the_message():
    fields = [f"a[{n}]" for n in range(30)]
    error = TogetherError.refused_all([{"field": f, "problem": "no"} for f in fields])

    with_titles(error, TITLED)

    told = "; ".join(f"Name ({field}) no" for field in fields)
    assert str(error) == f"Nothing was sent: {told}"
