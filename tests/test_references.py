"""What came from outside never becomes a secret: at every way out of a script.

The judge is tools/flows/resolving.py, which resolves as Windmill does, with a secret
behind every name.
"""

import copy
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.client import TogetherError, run
from scripts.client.references import harmless, is_word
from scripts.replies.harmless_text import HarmlessText
from scripts.workspace import state
from tests.support.canned_chat import CHAT, MODEL, say
from tests.support.expected_request import main_of
from tools.flows.resolving import Secrets
from tools.operations import find, scripts
from tools.sandbox import Fault, reply

SECRET = '"the value of a secret"'  # JSON, too
ASK = main_of(CHAT)
WORDS = ["$var:u/a/b", "$jsonvar:u/a/b", "$res:u/a/b", "$encrypted:x"]
TOKEN = "$WM_TOKEN"
BITS = [*WORDS, TOKEN, "$", "$WM_", "var:", "$v", "ar:", "\\u0024", "\\", "u0072", "x"]
BITS += ["\\\\u0024res:", "$r\\u0065s:", "\x00", " ", "\n", "€", '"', "WM_TOKEN"]
texts = st.lists(st.sampled_from(BITS), max_size=6).map("".join)
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=12,
)


class Everything(dict):
    """A mapping in which every name leads to the secret."""

    def __contains__(self, name):
        return True

    def __missing__(self, name):
        return SECRET


class Own(Everything):
    """The same of a job's own variables."""

    def get(self, name, default=None):
        return SECRET if name.startswith("WM_") else default


def resolved(value):
    """The value as the next step would get it."""
    secrets = Secrets(Everything(), Everything(), Own())
    # Windmill keeps JSON as PostgreSQL does, without NUL.
    text = json.dumps(value).replace("\\u0000", "")
    return secrets.arguments({"value": json.loads(text)})["value"]


def read(value):
    """A value with JSON that is in its texts read, over and over."""
    if isinstance(value, str):
        try:
            inner = json.loads(f'"{value}"', strict=False)
        except ValueError:
            return value
        return value if inner == value else read(inner)
    if isinstance(value, list):
        return [read(item) for item in value]
    if isinstance(value, dict):
        return {read(name): read(item) for name, item in value.items()}
    return value


def test_the_judge_resolves_what_windmill_resolves():
    beside = {"a": [{"b": {"c": f" {WORDS[0]}"}}], "t": TOKEN, "deep": [[[[WORDS[0]]]]]}
    assert resolved(beside) == {**beside, "t": SECRET}
    assert resolved([TOKEN, {WORDS[0]: TOKEN}]) == [SECRET, {WORDS[0]: SECRET}]
    assert resolved([TOKEN]) == [TOKEN]
    assert resolved([WORDS[0], WORDS[2]]) == [SECRET, SECRET]
    assert resolved(WORDS[1]) == json.loads(SECRET)
    assert resolved([WORDS[0]] * 1001) == [WORDS[0]] * 1001


@given(values)
@example({"a": TOKEN, "b": " $var:x"})
@example({"$var:x": 1, "$ var:x": 2, "b": TOKEN})
@example(["$\x00var:x"])
@example('{"a": "\\u0024var:u/a/b"}')
def test_what_left_a_script_is_never_resolved(value):
    before = json.loads(json.dumps(value))
    found, count = harmless(value)

    assert resolved(found) == json.loads(json.dumps(found).replace("\\u0000", ""))
    assert resolved(read(found)) == json.loads(
        json.dumps(read(found)).replace("\\u0000", "")
    )
    if not count and not _large(before):
        assert found == before
    again, count = harmless(json.loads(json.dumps(found)))
    assert (again, count) == (found, 0)


def test_a_name_that_spells_a_reference_is_changed_too():
    found, count = harmless({"\\u0024var:x": 1, "a\\b": 2})

    assert (found, count) == ({"\\u0024 var:x": 1, "a\\b": 2}, 1)


def _large(value):
    return any(len(word) > 15 for word in json.dumps(value).split())


@given(st.lists(texts.map(lambda text: text.replace("\x00", ""))))
@example(list("so $var:u/a/b it is"))
@example(list(TOKEN))
@example(["\\\\\\\\u00", "24en", "crypted", ":x"])
def test_a_text_that_leaves_in_pieces_is_what_it_is_as_a_whole(pieces):
    stream = HarmlessText()
    shown = [stream.add(piece) for piece in pieces] + [stream.end()]

    assert "".join(shown) == harmless("".join(pieces))[0]


def test_a_text_is_held_back_no_longer_than_it_may_be_a_word():
    stream = HarmlessText()
    assert stream.add("It costs $") == "It costs "
    assert stream.add("5.") == "$5."
    assert stream.add("a\\frac") == "a"
    assert stream.add("{1}") == "\\frac{1}"


def test_texts_are_changed_and_nothing_else():
    row = {"price": "$5", "shell": "echo $HOME", "tex": "\\frac", "n": [1, 2.5, None]}
    assert harmless(row) == (row, 0)
    assert harmless({"a": ("$var:x",), "n": 2**53}) == (
        {"a": ["$ var:x"], "n": "9007199254740992"},
        1,
    )
    assert harmless("$var:x") == ("$ var:x", 1)
    assert harmless(None) == (None, 0)


class Text(str):
    """A text of a class of its own."""


SAFE = 2**53 - 1  # the last whole number up to which JavaScript keeps each
CHANGED = [
    # what leaves a script, as it may, and how many texts were changed
    ([1.5, None, True], [1.5, None, True], 0),
    ([[1.5, None], "$var:x"], [[1.5, None], "$ var:x"], 1),
    ([["$var:x"], [1.5], ["$var:y"]], [["$ var:x"], [1.5], ["$ var:y"]], 2),
    (
        {"a": SAFE, "b": -SAFE, "c": SAFE + 1, "d": -SAFE - 1},
        {"a": SAFE, "b": -SAFE, "c": str(SAFE + 1), "d": str(-SAFE - 1)},
        0,
    ),
    ({"a": Text("b"), "c": Text("$var:x")}, {"a": "b", "c": "$ var:x"}, 1),
    ("$\0var:x", "$\ufffdvar:x", 1),
    ([("$var:x", ("$res:y",))], [["$ var:x", ["$ res:y"]]], 2),
    ({"$var:x": 1, "b": 2}, {"$ var:x": 1, "b": 2}, 1),
    ({"b": 2, "$var:x": 1, 5: 3}, {"b": 2, "$ var:x": 1, 5: 3}, 1),
    (
        {"$ var:x": 1, "$ var:x 2": 2, "$var:x": 3},
        {"$ var:x": 1, "$ var:x 2": 2, "$ var:x 3": 3},
        1,
    ),
    (
        {"$ var:x": 1, "$var:x": 2, "$\0var:x": 3, "$\ufffdvar:x": 4},
        {"$ var:x": 1, "$ var:x 2": 2, "$\ufffdvar:x": 3, "$\ufffdvar:x 2": 4},
        2,
    ),
    ({"\\frac": 1, "$5": {"$var:x": 1}}, {"\\frac": 1, "$5": {"$ var:x": 1}}, 1),
    ([{"a": "$var:x"}, {"$var:y": 1}], [{"a": "$ var:x"}, {"$ var:y": 1}], 2),
    ([{"$var:y": 1}, {"$var:y": 1}], [{"$ var:y": 1}, {"$ var:y": 1}], 2),
    ({"a": [], "b": {}, "c": ""}, {"a": [], "b": {}, "c": ""}, 0),
]


@pytest.mark.parametrize(("value", "left", "count"), CHANGED)
def test_what_may_leave_is_the_value_without_the_words(value, left, count):
    found, changed = harmless(copy.deepcopy(value))  # changed in place

    assert (found, changed) == (left, count)
    if isinstance(found, dict):
        assert list(found) == list(left)
        assert {type(item) for item in found.values()}.isdisjoint({Text, tuple})


class Object(dict):
    """An object of a class of its own."""


def test_an_object_of_a_class_of_its_own_is_made_plain():
    found, count = harmless([Object(a="$var:x", b=Object(c=1))])

    assert (found, count) == ([{"a": "$ var:x", "b": {"c": 1}}], 1)
    assert [type(found[0]), type(found[0]["b"])] == [dict, dict]


def test_a_text_in_pieces_counts_only_what_was_changed():
    stream = HarmlessText()
    told = [stream.add(piece) for piece in ("it costs $5 and ", "$6 ", "more")]

    assert "".join([*told, stream.end()]) == "it costs $5 and $6 more"
    assert stream.count == 0


def test_a_text_that_leaves_in_pieces_is_counted_and_ends():
    stream = HarmlessText()
    told = [stream.add(piece) for piece in ("so $va", "r:x and ", "$")]

    assert (told, stream.end()) == (["so ", "$ var:x and ", ""], "$")
    assert (stream.count, stream.end()) == (1, "")
    assert stream.add("more") == "more"


# --- the ways out ------------------------------------------------------------------


def test_every_script_hands_its_result_over():
    for script in scripts():
        returned = script.script_path.read_text().rpartition("\n\n\ndef main(")[2]
        assert "\n    return run(" in returned, script.id


def test_an_answer_of_the_api_is_harmless_and_the_log_says_so(sandbox, auth, capsys):
    say(sandbox, f"{WORDS[0]} and {WORDS[2]}")
    found = ASK(auth, {"model": MODEL, "messages": [{"role": "user", "content": "?"}]})

    text = found["choices"][0]["message"]["content"]
    assert text == "$ var:u/a/b and $ res:u/a/b"
    assert resolved(found) == found
    assert "A space was put behind the $ in 1 texts" in capsys.readouterr().err


def test_a_note_of_the_result_says_so_too():
    result = {"note": "It is in storage.", "text": WORDS[0]}
    found = run(lambda auth, table: result, {}, {})
    assert found["note"].startswith("It is in storage. A space was put behind")


def test_a_streamed_answer_is_harmless_piece_by_piece(sandbox, auth, capfd):
    say(sandbox, f"It is {' '.join(WORDS)} and {TOKEN}.")
    messages = [{"role": "user", "content": "?"}]
    found = ASK(auth, {"model": MODEL, "messages": messages, "stream": True})

    lines = [
        line.removeprefix("WM_STREAM: ")
        for line in capfd.readouterr().out.splitlines()
        if line.startswith("WM_STREAM: ")
    ]
    # Windmill puts the stream beside the result.
    result = {**found, "wm_stream": "".join(lines)}
    assert len(lines) > 3
    assert result["wm_stream"] == found["choices"][0]["message"]["content"]
    assert resolved(result) == result
    assert "u/a/b" in result["wm_stream"]


def test_an_error_is_harmless_with_all_that_it_carries(sandbox, auth):
    words = {"error": {"message": f" {WORDS[0]}", "code": TOKEN, "type": WORDS[2]}}
    sandbox.faults.append(Fault("chat", 400, body=words))
    with pytest.raises(TogetherError) as raised:
        ASK(auth, {"model": MODEL, "messages": [{"role": "user", "content": "?"}]})

    error = raised.value
    error.partial = {"text": [WORDS[1]]}
    kept = {"message": str(error), **vars(error)}
    assert "var:u/a/b" in kept["message"]
    assert "var:u/a/b" in kept["detail"]
    assert resolved(kept) == kept
    assert "$jsonvar" not in json.dumps(kept)


def test_state_is_harmless_and_read_as_it_is(workspace):
    workspace.variables["u/a/b"] = SECRET
    state.set_state({"seen": [WORDS[0], TOKEN], WORDS[2]: f" {WORDS[1]}"})
    state.create_state({"id": WORDS[0]}, "u/test/other")

    kept = json.dumps([one["value"] for one in workspace.resources.values()])
    assert not is_word(kept)
    assert state.get_state()["seen"] == ["$ var:u/a/b", "$ WM_TOKEN"]

    # As a version before this one, or somebody else, has left it.
    place = {"value": {"x": WORDS[0], "y": TOKEN}, "resource_type": "state"}
    workspace.resources["u/test/old"] = place
    assert state.get_state("u/test/old") == {"x": WORDS[0], "y": TOKEN}


ROWS = [{"text": f" {WORDS[0]}", "t": TOKEN}, {WORDS[2]: "x", "text": WORDS[3]}]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
def test_rows_of_a_file_come_out_harmless_and_go_to_the_api_as_they_are(
    kind, sandbox, auth
):
    rows = ROWS if kind != "csv" else ROWS[:1]
    text = {
        "jsonl": "\n".join(map(json.dumps, rows)),
        "json": json.dumps(rows).replace("$", "\\u0024"),
        "csv": f"text,t\n{rows[0]['text']},{TOKEN}",
    }[kind]
    given = {"file": text, "filename": f"r.{kind}"} if kind == "csv" else text
    if kind == "csv":
        given = {"text": text, "filename": "r.csv"}
    found = main_of(find("files/read_rows"))(auth, given)
    assert len(found["rows"]) == len(rows)
    assert resolved(found) == found

    mapped = main_of(find("chat/map_rows"))(auth, "{{text}}", given, model=MODEL)
    assert resolved(mapped) == mapped
    assert mapped["done"] == len(rows)
    sent = [json.loads(r.body) for r in sandbox.requests if r.path.endswith("ions")]
    sent = [body["messages"][-1]["content"] for body in sent]
    assert sorted(sent) == sorted(row["text"] for row in rows)


def test_documents_come_out_harmless(auth):
    text = f"One. {WORDS[0]} two.\n\n{TOKEN} {'three ' * 60}\n\n{TOKEN}"
    documents = [{"text": text, "filename": f"{WORDS[2]}.txt"}]
    split = main_of(find("embeddings/split_documents"))
    found = split(auth, documents, size=100, overlap=0)

    assert len(found["passages"]) > 2
    assert resolved(found) == found
    assert not is_word(json.dumps(found))


@pytest.mark.parametrize(
    "answer",
    [
        {"wm_failure": "no", "wm_labels": ["x"], "id": 1},
        {"wm_renderer": "html", "html": "<script>alert(1)</script>", "wm_stream": 1},
        {"html": "<script>alert(1)</script>"},
        {"render_all": [{"html": "x"}]},
        {"windmill_content_type": "text/html", "windmill_status_code": 500},
    ],
)
def test_an_answer_does_not_tell_windmill_what_to_do(sandbox, auth, capsys, answer):
    sandbox.answers["get_identity"] = lambda _: answer
    found = main_of(find("organization/get_identity"))(auth)

    assert [found[n] for n in found] == [answer[n] for n in answer]
    kept = {name for name in found if name.startswith(("wm_", "windmill_"))}
    assert all(name.endswith("_") for name in kept)
    assert not {"render_all", "wm_failure"} & found.keys()
    assert len(found) > 1 or "html" not in found
    assert "would mean something to Windmill" in capsys.readouterr().err


def test_a_stream_does_not_tell_windmill_what_to_do(sandbox, auth):
    def whole(_, answer):
        return {**answer, "wm_failure": "no"}

    say(sandbox, whole)
    messages = [{"role": "user", "content": "?"}]
    found = ASK(auth, {"model": MODEL, "messages": messages, "stream": True})
    assert "wm_failure" not in found


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_a_key_that_windmill_left_unresolved_is_refused_by_name(
    sandbox, auth, name, word
):
    with pytest.raises(TogetherError, match=rf"auth\.{name} is a reference") as raised:
        ASK({**auth, name: word}, {"model": MODEL, "messages": []})
    assert "auth.api_key" in str(raised.value)
    assert not sandbox.requests


def test_the_form_s_models_are_harmless(sandbox, auth, monkeypatch):
    listed = reply(find("models/list_supported_models"), {})
    listed["data"][0]["displayName"] = WORDS[0]
    sandbox.answers["list_supported_models"] = lambda _: listed
    from scripts.catalog import choices

    found = choices("chat", {**auth, "api_key": "tgp_of_its_own"})
    assert resolved(found) == found
