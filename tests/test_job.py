"""The job that a step runs in."""

import pytest

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
