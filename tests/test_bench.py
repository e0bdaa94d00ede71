"""What the bench runs of ours is there; its numbers are nobody's test."""

import ast

import pytest

from tools.bench import (
    bench,
    bench_batches,
    bench_cold,
    bench_rows,
    bench_transfer,
    bench_words,
    simulate,
)
from tools.operations import ROOT
from tools.tree.flatten import module_names, module_text

pytestmark = pytest.mark.slow

DRIVERS = {
    "stream": bench.STREAM_DRIVERS["ours"],
    "rows": bench_rows.CONTENDERS["ours"],
    "download": bench_transfer.DOWNLOADERS["ours"][0],
    "upload": bench_transfer.UPLOADERS["ours"][0],
    "store": bench_transfer.STORER[0],
    "words": bench_words.DRIVER,
}


@pytest.mark.parametrize("name", DRIVERS)
def test_what_a_driver_imports_is_deployed(name):
    imported = list(_imported(ast.parse(DRIVERS[name])))

    assert imported
    for path, names in imported:
        place = path.removeprefix("f.togetherai.")
        if place in module_names(ROOT):
            text = module_text(ROOT, place)
        else:
            text = (ROOT / "scripts" / f"{place.replace('.', '/')}.py").read_text()
        assert set(names) <= _bound(ast.parse(text))


@pytest.fixture(scope="module")
def served():
    """The API and Windmill's modules: (auth, certificate, Windmill's address)."""
    windmill = bench.served(False, "tools.bench.bench_cold", "0")
    with (
        bench.served(True, "tools.bench.bench_cold") as (auth, trust),
        windmill as (own, _),
    ):
        yield auth, trust, own["base_url"]


# Each is a request of the job to Windmill, and compiled anew.
MODULES = {"chat": 1, "list_files": 1, "map_rows": 6, "collect_rows": 6}


@pytest.mark.parametrize("step", bench_cold.STEPS)
def test_a_cold_step_runs_with_modules_that_it_fetches(step, served, tmp_path):
    script, arguments = bench_cold.STEPS[step]
    auth, trust, address = served
    given = {"auth": auth, **arguments}
    bench_cold.prepare(tmp_path, script, given, fetch=True)
    windmill = {"BASE_INTERNAL_URL": address, "WM_WORKSPACE": "bench"}
    env = {**bench.environment("ours", trust), "PYTHONPATH": str(tmp_path)}

    seconds, cpu, modules = bench_cold.run_job(
        tmp_path, {**env, **windmill, "WM_TOKEN": "bench"}
    )

    assert seconds > 0
    assert cpu > 0
    assert modules <= MODULES[step]


def test_rows_go_through_batches_as_jobs():
    split, collected = bench_batches.batches(300)

    assert split.peak_mib > 5
    assert collected.peak_mib > 5
    assert split.cpu_seconds > 0


def test_a_large_table_is_a_job_beside_what_is_said_of_it():
    ours, said = bench_rows.large_table(1, 300)

    assert ours.peak_mib > 5
    assert ours.cpu_seconds > 0
    assert said.contender == "./dev simulate"
    assert said.seconds == simulate.map_rows(simulate.Task(300, None, 0.0)).seconds


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("f."):
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("f."):
                    yield alias.name, []


def _bound(tree):
    """The names that a module binds at its top."""
    names = {node.name for node in tree.body if hasattr(node, "name")}
    for node in tree.body:
        for target in getattr(node, "targets", ()):
            names |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
    return names
