"""Flows that use the hub's scripts come to use the pack, and nothing else of them
changes."""

import subprocess
import sys

import pytest
import yaml

from tools.operations import ROOT
from tools.workspace.migrate import changes

FLOW = """\
summary: 'Mine'   # as I wrote it
value:
  modules:
    - id: a
      value:
        type: script
        path: hub/11697/togetherai/create_chat_completion
        input_transforms:
          auth: {type: static, value: $res:u/me/together}
          body: {type: javascript, expr: 'flow_input.body'}
    - id: b
      value:
        type: script
        path: hub/2/togetherai/list-models
        input_transforms:
          mystery: {type: static, value: 1}
    - id: c
      value: {type: script, path: hub/3/togetherai/none_such, input_transforms: {}}
    - id: d
      value: {type: script, path: hub/4/slack/send_message, input_transforms: {}}
"""


def test_only_the_paths_change(tmp_path):
    place = tmp_path / "f" / "mine__flow" / "flow.yaml"
    place.parent.mkdir(parents=True)
    place.write_bytes(FLOW.replace("\n", "\r\n").encode())
    (place.parent / "other.py").write_text("x = 'hub/1/slack/x'\n")

    (change,) = changes(tmp_path, "f/togetherai")

    before, after = change.before.split("\r\n"), change.after.split("\r\n")
    differ = [
        (a.strip(), b.strip()) for a, b in zip(before, after, strict=True) if a != b
    ]
    assert differ == [
        (
            "path: hub/11697/togetherai/create_chat_completion",
            "path: f/togetherai/chat/create_chat_completion",
        ),
        (
            "path: hub/2/togetherai/list-models",
            "path: f/togetherai/models/list_models",
        ),
    ]
    assert change.unknown == ["hub/3/togetherai/none_such"]
    assert change.notes == ["models/list_models takes no mystery"]
    assert place.read_bytes() == FLOW.replace("\n", "\r\n").encode()  # nothing written


def test_a_call_in_a_script_is_found_and_a_streaming_body_is_told(tmp_path):
    code = 'await runScript("hub/9/TogetherAI/createEmbeddings", null, args)\n'
    (tmp_path / "a.ts").write_text(code)
    flow = {"type": "script", "path": "hub/9/together_ai/create_chat_completion"}
    body = {"type": "static", "value": {"stream": True}}
    flow["input_transforms"] = {"body": body}
    (tmp_path / "b.yaml").write_text(
        yaml.dump({"value": {"modules": [{"value": flow}]}})
    )

    script, streaming = changes(tmp_path, "u/me/ai")

    assert script.after == code.replace(
        "hub/9/TogetherAI/createEmbeddings", "u/me/ai/embeddings/create_embeddings"
    )
    assert any("stream" in note for note in streaming.notes)


FLOW_STEP = "{type: flow, path: f/togetherai/flows/run_batch, input_transforms: {}}"
CHAT = "type: script, path: hub/1/togetherai/create_chat_completion"
NEEDS = "chat/create_chat_completion needs body"
DEEP = "[" * 3000 + "]" * 3000
STREAMS = "chat/create_chat_completion: stream: the answer"


@pytest.mark.parametrize(
    ("step", "note"),
    [
        (FLOW_STEP, None),
        (f"{{{CHAT}, input_transforms: null}}", NEEDS),
        (f"{{{CHAT}, input_transforms: [1, 2]}}", NEEDS),
        (f"{{{CHAT}, input_transforms: text}}", NEEDS),
        (f"{{{CHAT}, input_transforms: {{1: a, b: c, body: }}}}", "takes no 1"),
        (f"{{{CHAT}, input_transforms: {{body: 2026-11-30}}}}", None),
        (f"{{{CHAT}, input_transforms: {{body: {{2026-11-30: 1}}}}}}", None),
        (f"{{{CHAT}, input_transforms: {{body: {{a: [stream]}}}}}}", STREAMS),
        (f"{{{CHAT}, input_transforms: {{body: 2026-11-32}}}}", "is no plain YAML"),
        (f"{{{CHAT}, input_transforms: {{body: &a [*a]}}}}", None),
        (f"{{{CHAT}, input_transforms: {{body: {DEEP}}}}}", "is no plain YAML"),
        ("{type: script, path: 1, input_transforms: {}}", None),
    ],
)
def test_a_flow_of_an_odd_form_is_migrated_like_any(tmp_path, step, note):
    other = f"{{{CHAT}, input_transforms: {{body: {{}}}}}}"
    text = f"value: {{modules: [{{value: {step}}}, {{value: {other}}}]}}\n"
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text)

    found = list(changes(tmp_path, "f/togetherai"))

    assert [change.path.name for change in found] == ["a.yaml", "b.yaml"]
    path = "f/togetherai/chat/create_chat_completion"
    for change in found:
        assert path in change.after
        assert "hub/" not in change.after
        assert bool(change.notes) == (note is not None), change.notes
        assert note is None or any(note in said for said in change.notes)


def test_anchors_cost_no_more_than_they_are_long(tmp_path):
    """Written out, these would be 10**18 values."""
    lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 18)]
    text = "\n".join(["a0: &a0 [1]", *lines, f"v: {{{CHAT}, input_transforms: "])
    (tmp_path / "a.yaml").write_text(f"{text} {{body: *a17}}}}\n")

    (change,) = changes(tmp_path, "f/togetherai")

    assert change.notes == []


@pytest.mark.slow
def test_the_command_shows_and_writes_when_told_so(tmp_path):
    place = tmp_path / "flow.yaml"
    place.write_text(FLOW)

    def dev(*words):
        command = [sys.executable, "-m", "tools", "migrate", str(place), *words]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    shown = dev()
    assert shown.returncode == 0
    assert "+        path: f/togetherai/chat/create_chat_completion" in shown.stdout
    assert "1 file would change; --yes writes them" in shown.stderr
    assert place.read_text() == FLOW

    assert dev("--yes").returncode == 0
    assert "f/togetherai/models/list_models" in place.read_text()
    assert "nothing to change" in dev("--yes").stderr

    missing = [sys.executable, "-m", "tools", "migrate", str(tmp_path / "gone")]
    gone = subprocess.run(missing, cwd=ROOT, capture_output=True, text=True)
    assert (gone.returncode, "No such file" in gone.stderr) == (2, True)


def test_what_is_no_text_is_left_alone(tmp_path):
    odd = tmp_path / "odd.py"
    odd.write_bytes(b"\xb8\x00hub/1/togetherai/list-models")
    (tmp_path / "flow.yaml").write_text(FLOW)

    found = list(changes(tmp_path, "f/togetherai"))
    assert [change.path.name for change in found] == ["flow.yaml"]
    with pytest.raises(ValueError, match=r"odd\.py is not text"):
        list(changes(odd, "f/togetherai"))
