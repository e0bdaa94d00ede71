"""The servers that tests share, and an environment without proxies or a Windmill."""

import gc
import os
import shutil
import signal
import uuid

import pytest
from hypothesis import settings

from scripts.catalog import catalog, pricing
from tests.support import windmill_models
from tests.support.fault_sandbox import FaultSandbox
from tests.support.killable_worker import Worker
from tests.support.windmill_cli import WINDMILL, install
from tools.checks.checks import problems
from tools.local.fake_workspace import Workspace
from tools.operations import ROOT, scripts
from tools.sandbox import Sandbox
from tools.sandbox.lifecycles import Lifecycles
from tools.tree.flatten import sources
from tools.tree.sync_tree import build

KEY = "tgp_test_0123456789abcdef"
STEP = "organization/check_connection"

# A machine that is busy is no failure, and each run makes up the same: a commit is
# green or red, not both. --hypothesis-profile=thorough makes up more, by chance.
settings.register_profile("quick", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("quick")

for name in list(os.environ):
    if name.lower().endswith("_proxy") or name.startswith(("WM_", "BASE_INTERNAL")):
        del os.environ[name]

# A shell's job in the background ignores interruptions, and hands that on to what the
# tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What collecting makes lives as long as the run: looking through it for garbage, again
# and again, takes a third of its time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """execnet interrupts a worker that takes five seconds to end: a busy machine does,
    and the interruption then falls into whatever pytest's last collections run."""
    if hasattr(session.config, "workerinput"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


# The files that take longest: begun last, they would run while other cores are idle.
LONGEST = (
    "test_site",  # the first four in the slow run
    "test_fault_matrix",
    "test_browser",
    "test_killed",
    "test_run",
    "test_tools",
    "test_each_form",
    "test_row_steps",
    "test_flows",
    "test_across",
    "test_realtime_audio",
    "test_file_upload",
    "test_workspace_api",
    "test_tables",
    "test_download",
    "test_odd_answers",
    "test_flow_checks",
    "test_checkpoint",
    "test_run_agent",
    "test_slow_answers",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


PACKED = {b"\x1f\x8b": "gzip", b"PK": "zip"}


def pytest_make_parametrize_id(val: object) -> str | None:
    """Packed bytes hold the time of their making: named by themselves, a test would
    have another name in each process, and workers different tests."""
    return PACKED.get(val[:2]) if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def late_prices(monkeypatch):
    """Nor is a list of prices that comes late on a busy machine a failure: a step would
    call its cost unknown."""
    monkeypatch.setattr(pricing, "PRICE_SECONDS", 60.0)


@pytest.fixture
def brief_silence(monkeypatch):
    """Silence ends a realtime session sooner than it does with the service."""
    for name, seconds in (("IDLE", 0.4), ("QUIET", 0.25), ("SETTLED", 0.15)):
        monkeypatch.setattr(f"scripts.realtime_audio.{name}", seconds)


@pytest.fixture(scope="session")
def _server():
    with Sandbox(pace=0, lifecycles=False, refuses=False) as server:
        yield server


@pytest.fixture
def sandbox(_server):
    """The sandbox, with nothing recorded, stored or injected."""
    catalog._listings.clear()  # or a list that one test let fail fails in the next
    _server.requests.clear()
    _server.faults.clear()
    _server.files.clear()
    _server.answers.clear()
    _server.objects.clear()
    _server.uploads.forget()
    return _server


@pytest.fixture(scope="session")
def _fault_sandbox():
    with FaultSandbox() as server:
        yield server


@pytest.fixture
def fault_sandbox(_fault_sandbox):
    """A service whose answers a test makes up, calm at first."""
    _fault_sandbox.reset()
    return _fault_sandbox


@pytest.fixture
def lifecycles(sandbox):
    """The sandbox's things live, and time stands until a test advances it."""
    sandbox.lifecycles = Lifecycles(sandbox, speed=0)
    yield sandbox.lifecycles
    sandbox.lifecycles = None


@pytest.fixture
def auth(sandbox):
    return {"api_key": KEY, "base_url": sandbox.url}


@pytest.fixture
def priced(sandbox):
    """Lets the catalogue name prices of a model; gives a resource that reads them."""

    def price(model, **pricing):
        entry = {"id": model, "object": "model", "type": "x", "pricing": pricing}
        sandbox.answers["list_models"] = lambda _: [entry]
        sandbox.answers["list_supported_models"] = lambda _: {"data": []}
        # Lists are kept for a while for each key.
        return {"api_key": f"tgp_{uuid.uuid4().hex}", "base_url": sandbox.url}

    return price


@pytest.fixture(scope="session")
def _workspace_server():
    with Workspace() as server:
        yield server


@pytest.fixture
def workspace(_workspace_server, monkeypatch):
    """An empty workspace; the test runs as a job of it."""
    _workspace_server.configure()
    for name, value in _workspace_server.environment.items():
        monkeypatch.setenv(name, value)
    return _workspace_server


@pytest.fixture(scope="session")
def worker():
    """Runs scripts in processes of their own, which a server may kill."""
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def node_packages():
    install()
    windmill_models.install()


@pytest.fixture
def own_path(tmp_path, monkeypatch, node_packages):
    """A folder that comes first on the PATH, with a `wmill` that notes its words."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    program = WINDMILL / "node_modules" / "windmill-cli" / "esm" / "main.js"

    def write(before=""):
        file = place / "wmill"
        file.write_text(
            f'#!/bin/sh\necho "$@" >> {place}/words\n{before}\n'
            f'exec node {program} "$@"\n'
        )
        file.chmod(0o755)
        return place / "words"

    return write


@pytest.fixture
def built(tmp_path, node_packages):
    """The pack, built; for the official command line."""
    build(tmp_path / "build")
    return tmp_path / "build"


@pytest.fixture(scope="session")
def _one_step(tmp_path_factory):
    root = tmp_path_factory.mktemp("one_step") / "pack"
    names = ["schemas/_operation.json", f"schemas/{STEP}.json", "wmill.yaml"]
    names += [
        "requirements.txt",
        "requirements-parquet.txt",
        "schemas/_exceptions.yaml",
    ]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "schemas" / "_exceptions.yaml").write_text("{}\n")
    shutil.copytree(ROOT / "resources", root / "resources")
    for path in sources(ROOT):
        place = root / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    for problem in problems(root):
        problem.fix()
    assert [script.id for script in scripts(root)] == [STEP]
    return root


@pytest.fixture
def one_step(_one_step, tmp_path):
    """A pack of one step, to change and to deploy quickly."""
    return shutil.copytree(_one_step, tmp_path / "pack")
