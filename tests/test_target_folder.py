"""The pack in another folder: everything in it still finds everything else."""

from contextlib import ExitStack

import pytest
import yaml

from tests.support.fake_windmill_api import Remote, paths, push
from tests.support.sample_flow import FLOW, SCHEDULE, references
from tests.support.windmill_cli import wmill
from tools.local.job_runner import run
from tools.operations import find, imported, scripts, with_own
from tools.sandbox import Fault
from tools.target_folder import FOLDER, moved
from tools.tree.sync_tree import build, tree

pytestmark = pytest.mark.slow

FOLDERS = [FOLDER, "f/ai_together", "f/team/models/ai", "u/me/together"]


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """The pack, built for each folder."""
    found = {folder: tmp_path_factory.mktemp("build") for folder in FOLDERS}
    for folder, place in found.items():
        build(place, folder=folder)
    return found


@pytest.fixture(params=FOLDERS)
def placed(request, builds):
    """A build for a folder: where it is, and the folder."""
    return builds[request.param], request.param


@pytest.mark.slow
def test_no_file_speaks_of_the_old_folder(placed):
    place, folder = placed
    files = [path for path in place.rglob("*") if path.is_file()]

    for path in files:
        text = f"{path.relative_to(place)}\n{path.read_text()}"
        if folder != FOLDER:
            assert FOLDER not in text
            assert FOLDER.replace("/", ".") not in text
    assert len(paths(place, ".py")) > len(list(scripts()))
    assert all(path.startswith(f"{folder}/") for path in paths(place, ".py"))
    assert yaml.safe_load((place / "wmill.yaml").read_text())["includes"] == [
        f"{folder}/**"
    ]


@pytest.mark.slow
def test_everything_but_the_folder_stays():
    default, other = tree(), tree(folder="f/x")

    for path, content in default.items():
        found = other[path.replace(FOLDER, "f/x")]
        wanted = content.replace(b"f/togetherai", b"f/x")
        if path != "wmill-lock.yaml":
            assert wanted.replace(b"f.togetherai", b"f.x") == found


def test_a_script_runs_from_its_folder(placed, auth, sandbox):
    place, folder = placed
    operation = find("chat/create_chat_completion")
    arguments = operation.schema["examples"][0]

    job = run(operation.id, {"auth": auth, **arguments}, root=place, folder=folder)

    assert not job.failed, job.result
    assert job.result == operation.schema["x-reply"]
    assert sandbox.requests[-1].path == "/v1/chat/completions"


@pytest.fixture(scope="module")
def pushed(builds):
    """Of each folder: a build, and a workspace that has its scripts."""
    with ExitStack() as stack:
        found = {}
        for folder, place in builds.items():
            names = [f"{path}.py" for path in paths(place, ".py")]
            remote = Remote({name: (place / name).read_text() for name in names})
            url = stack.enter_context(remote.serving())
            own = {"BASE_INTERNAL_URL": url, "WM_WORKSPACE": "w", "WM_TOKEN": "t"}
            found[folder] = place, remote, own
        yield found


def fetched(pushed, folder, script, auth, arguments):
    """Run a script whose modules are fetched; return the job and what was fetched."""
    place, remote, environment = pushed[folder]
    remote.fetched.clear()
    given = {"auth": auth, **arguments}
    job = run(
        script, given, root=place, folder=folder, environment=environment, fetch=True
    )
    return job, list(remote.fetched)


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_operation_fetches_the_helper_alone_at_any_depth(folder, pushed, auth):
    operation = find("chat/create_chat_completion")
    arguments = operation.schema["examples"][0]

    job, modules = fetched(pushed, folder, operation.id, auth, arguments)

    assert job.result == operation.schema["x-reply"]
    assert modules == [f"{folder}/client"]


LATE = {
    "resilience": ("files/get_file", {"file_id": "file-1"}),
    "replies (pages)": ("models/list_supported_models", {"max_pages": 2}),
    "replies (a stream)": (
        "completions/create_completion",
        {"body": {"model": "m", "prompt": "Hi", "stream": True}},
    ),
    "forms": (
        "completions/create_completion",
        {"body": {"model": "m", "prompt": "Hi", "more_options": False}},
    ),
    "forms (an editor's)": (
        "chat/create_chat_completion",
        {
            "body": {
                "model": "m",
                "messages": [{"role": "user", "content": "Hi"}],
                "response_format": {
                    "label": "JSON schema",
                    "json_schema": {
                        "name": "found",
                        "schema": {
                            "label": "Editor",
                            "value": {
                                "type": "object",
                                "properties": {"a": {"type": "string"}},
                                "order": ["a"],
                            },
                        },
                    },
                },
                "more_options": False,
            }
        },
    ),
}


@pytest.mark.parametrize("module", LATE)
def test_what_few_calls_need_is_fetched_by_those(module, pushed, auth, sandbox):
    script, arguments = LATE[module]
    if module == "resilience":
        sandbox.faults.append(Fault("files/file-1", 404))
    folder = FOLDERS[2]

    job, modules = fetched(pushed, folder, script, auth, arguments)

    assert job.failed == (module == "resilience"), job.result
    assert not job.failed or job.result["error"]["extra"]["status"] == 404
    assert modules == [f"{folder}/client", f"{folder}/{module.split()[0]}"]


PAID = {
    "completions/create_completion": {
        "body": {"model": "m", "prompt": "Hi", "stream": True}
    },
    "audio/create_speech": {
        "body": {
            "model": "m",
            "input": "Hi",
            "voice": "v",
            "stream": True,
            "response_format": "raw",
        }
    },
    "images/generate_image": {"body": {"model": "m", "prompt": "x"}},
    "images/create_picture": {"model": "m", "prompt": "x"},
    "audio/speak_text": {"model": "m", "text": "Hi", "voice": "v"},
    "audio/transcribe_recording": {"model": "m", "recording": {"text": "sound"}},
    "chat/map_rows": {"model": "m", "template": "{{text}}", "rows": ["a"]},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        # Pictures wait for a Windmill that does not answer; one of the two waits here.
        pytest.param(name, marks=pytest.mark.slow)
        if name == "images/create_picture"
        else name
        for name in PAID
    ],
)
def test_nothing_is_fetched_once_an_answer_is_paid_for(script, builds, auth, sandbox):
    folder = FOLDERS[1]
    place = builds[folder]
    names = [f"{path}.py" for path in paths(place, ".py")]
    remote = Remote({name: (place / name).read_text() for name in names})
    remote.reachable = lambda path: not [r for r in sandbox.requests if r.body]
    given = {"auth": auth, **PAID[script]}
    with remote.serving() as url:
        own = {"BASE_INTERNAL_URL": url, "WM_WORKSPACE": "w", "WM_TOKEN": "t"}
        job = run(script, given, root=place, folder=folder, environment=own, fetch=True)

    assert [r for r in sandbox.requests if r.body]
    assert not job.failed, job.result


class Restarting(Remote):
    """Goes down when it is asked for its storage, until it is asked again."""

    asked = 0

    def reachable(self, path):
        self.asked += path.endswith("/test_connection")
        return self.asked != 1


def test_a_windmill_that_restarts_needs_not_hand_out_how_to_ask_again(builds, auth):
    folder = FOLDERS[1]
    place = builds[folder]
    names = [f"{path}.py" for path in paths(place, ".py")]
    remote = Restarting({name: (place / name).read_text() for name in names})
    operation = find("audio/create_speech")
    given = {"auth": auth, **operation.schema["examples"][0], "output": "storage"}
    with remote.serving() as url:
        own = {"BASE_INTERNAL_URL": url, "WM_WORKSPACE": "w", "WM_TOKEN": "t"}
        job = run(
            operation.id, given, root=place, folder=folder, environment=own, fetch=True
        )

    assert remote.asked == 2, job.log
    assert job.result["error"]["name"] == "TogetherError"
    assert job.result["error"]["extra"]["type"] == "no_storage"


USES = {frozenset(imported(s.script_path)): s.id for s in scripts()}


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS[2:3])
@pytest.mark.parametrize("used", USES, ids=lambda used: "-".join(sorted(used)))
def test_every_module_is_found_when_it_is_fetched(used, folder, pushed, auth):
    operation = find(USES[used])
    arguments = operation.schema["examples"][0]

    job, modules = fetched(pushed, folder, operation.id, auth, arguments)

    # Some need a workspace with more than scripts, and say so; none lacks a module.
    if job.failed:
        assert job.result["error"]["name"] == "TogetherError", job.result
    assert {f"{folder}/{name}" for name in used} <= set(modules)
    assert set(modules) <= {f"{folder}/{name}" for name in with_own(used)}
    assert len(modules) == len(set(modules))


FLOW_FILE = f"{FOLDER}/flows/ask__flow/flow.yaml"


@pytest.mark.parametrize("folder", FOLDERS)
def test_paths_in_flows_and_schedules_follow(folder):
    inline = b"from f.togetherai.client import call\nfrom f.togetherai_2.x import y\n"
    other = b"path: f/togetherai_2/x\nurl: https://a.b/f/togetherai/x\n"
    text = b'code: "a\\nf/togetherai/x"'
    files = {
        FLOW_FILE: FLOW.encode(),
        f"{FOLDER}/morning.schedule.yaml": SCHEDULE.encode(),
        f"{FOLDER}/flows/ask__flow/sure.py": inline,
        f"{FOLDER}/other.yaml": other,
        f"{FOLDER}/text.yaml": text,
    }

    found = moved(files, folder)

    assert references(yaml.safe_load(found[FLOW_FILE.replace(FOLDER, folder)])) == {
        f"{folder}/models/list_models"
    }
    schedule = yaml.safe_load(found[f"{folder}/morning.schedule.yaml"])
    assert references(schedule) == {f"{folder}/flows/ask", f"$res:{folder}/key"}
    dotted = folder.replace("/", ".").encode()
    inline = inline.replace(b"f.togetherai.", dotted + b".")
    assert found[f"{folder}/flows/ask__flow/sure.py"] == inline
    assert found[f"{folder}/other.yaml"] == other
    text = text.replace(FOLDER.encode(), folder.encode())
    assert found[f"{folder}/text.yaml"] == text


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("togetherai", "no Windmill folder"),
        ("/etc", "no Windmill folder"),
        ("f/", "no Windmill folder"),
        ("f/a/", "no Windmill folder"),
        ("u/me", "no Windmill folder"),
        ("g/all/x", "no Windmill folder"),
        ("f/my-team", "'my-team' is no name of a Python package"),
        ("u/a@b.c/together", "'a@b.c' is no name of a Python package"),
        ("f/2nd", "'2nd' is no name"),
        ("f/a/import", "'import' is no name"),
        ("f/../x", "'..' is no name"),
    ],
)
def test_a_folder_that_cannot_work_is_refused(folder, message):
    with pytest.raises(ValueError, match=message):
        tree(folder=folder)


@pytest.mark.slow
def test_a_build_replaces_a_build_and_nothing_else(tmp_path, one_step):
    build(tmp_path / "build", one_step)
    (tmp_path / "build" / "f" / "old.py").write_text("")

    build(tmp_path / "build", one_step, folder="f/ai")

    assert not (tmp_path / "build" / "f" / "old.py").exists()
    own = tmp_path / "own"
    own.mkdir()
    (own / "wmill.yaml").write_text("includes: [f/**]\n")
    build(tmp_path / "tracked", one_step)
    (tmp_path / "tracked" / ".git").mkdir()
    for place in (own, tmp_path / "tracked"):
        before = list(place.rglob("*"))
        with pytest.raises(ValueError, match="no build"):
            build(place, one_step)
        assert before == list(place.rglob("*"))


# --- as Windmill's own tools see it ------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS[1:3])
def test_a_push_makes_no_folder(folder, one_step, node_packages):
    build(one_step / "build", one_step, folder)
    remote = Remote()

    writes = push(one_step / "build", remote)

    assert not [url for url, _ in writes if url.startswith("/w/w/folders/")]
    assert all(b["path"].startswith(f"{folder}/") for _, b in writes if "path" in b)
    assert push(one_step / "build", remote) == []


@pytest.mark.slow
@pytest.mark.parametrize("placed", FOLDERS[3:], indirect=True)
def test_a_push_puts_everything_there_and_nothing_elsewhere(placed, node_packages):
    place, folder = placed
    assert wmill(place, "lint", "--locks-required").returncode == 0
    remote = Remote()

    writes = push(place, remote)

    written = [body["path"] for _, body in writes if "path" in body]
    assert len(written) == len(set(written)) > len(list(scripts()))
    assert all(path.startswith(f"{folder}/") for path in written)
    assert not [url for url, _ in writes if "/folders/" in url]
    for url, body in writes:
        if "/flows/" in url or "/schedules/" in url:
            ours = {path for path in references(body) if path.startswith(f"{folder}/")}
            assert ours <= set(written)
    assert push(place, remote) == []
