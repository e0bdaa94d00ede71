"""The job that a step runs in."""

import os

import pytest

from scripts.client import TogetherError, job
from scripts.client.job import in_job, log, windmill_address

SERVER, LOCAL = "https://windmill.example", "http://localhost:8000"
REST = {"WM_WORKSPACE": "w", "WM_TOKEN": "t"}


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, (None, None, None)),
        ({"WM_BASE_URL": SERVER, **REST}, (SERVER, "w", "t")),
        ({"BASE_INTERNAL_URL": LOCAL, **REST}, (LOCAL, "w", "t")),
        (
            {"BASE_INTERNAL_URL": LOCAL, "WM_BASE_URL": SERVER, **REST},
            (LOCAL, "w", "t"),
        ),
        (
            {"BASE_INTERNAL_URL": "", "WM_BASE_URL": SERVER, **REST},
            (SERVER, "w", "t"),
        ),
        ({"WM_BASE_URL": "", **REST}, (None, "w", "t")),
        ({"WM_BASE_URL": SERVER, "WM_WORKSPACE": "w"}, (SERVER, "w", None)),
        ({"WM_BASE_URL": SERVER, "WM_TOKEN": ""}, (SERVER, None, None)),
        (
            {"WM_BASE_URL": SERVER, "WM_TOKEN": "t", "WM_WORKSPACE": ""},
            (SERVER, None, "t"),
        ),
    ],
)
def test_a_job_knows_its_server_from_the_environment(environment, address, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert windmill_address() == address
    assert in_job() == (None not in address)


def test_a_line_of_the_log_is_told_by_its_beginning(capsys):
    log("first")
    log(5)

    assert capsys.readouterr() == ("", "together: first\ntogether: 5\n")


@pytest.mark.parametrize(
    ("environment", "base"),
    [
        ({"BASE_INTERNAL_URL": LOCAL, "WM_BASE_URL": SERVER}, SERVER),
        ({"BASE_INTERNAL_URL": LOCAL}, LOCAL),
        ({"WM_BASE_URL": SERVER}, SERVER),
        ({}, None),
    ],
)
def test_a_job_that_outlived_its_worker_asks_windmill_from_outside(
    environment, base, monkeypatch
):
    for name, value in {**REST, **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(job, "_worker", None)
    assert not job.worker_died()
    job.job_begins()
    assert not job.worker_died()
    job.check_worker()
    monkeypatch.setattr(job, "_worker", 0)  # no process that can start another

    assert job.worker_died()
    assert windmill_address() == (base, "w", "t")
    with pytest.raises(TogetherError) as caught:
        job.check_worker()
    assert vars(caught.value) == {
        "type": "not_sent",
        "advice": "Look at the job once more after a minute or two.",
    }
    assert str(caught.value) == (
        "the worker of this job has died, and Windmill starts it anew"
    )


def test_a_process_that_is_no_job_has_no_worker(monkeypatch):
    monkeypatch.setattr(job, "_worker", 0)
    monkeypatch.setenv("WM_TOKEN", "")

    assert not job.worker_died()


def test_a_job_remembers_who_started_it(monkeypatch):
    monkeypatch.setenv("WM_TOKEN", "t")
    monkeypatch.setattr(job, "_worker", None)
    job.job_begins()

    assert not job.worker_died()
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert job.worker_died()
