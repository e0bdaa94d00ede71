"""What a run over rows keeps for the next: how much is written, and what a rerun finds
whenever it ends."""

import json
import re
from collections import Counter

import pytest
from starlette.responses import PlainTextResponse

from scripts import checkpoint
from scripts.checkpoint import Checkpoint
from scripts.client import TogetherError
from tools.models import model
from tools.sandbox import Fault

MODEL = model("chat")
PART = {"number": 1, "of": 1, "rows": 9, "kept": "state"}
LIST = re.compile(r"/togetherai_(rows|parts)_lists/")
LISTS = "f/togetherai/togetherai_rows_lists/"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Two rows are a part, and three parts a list."""
    monkeypatch.setattr(checkpoint, "PART_ROWS", 2)
    monkeypatch.setattr(checkpoint, "LIST_PARTS", 3)


def numbered(count, start=0):
    return [{"id": n} for n in range(start, start + count)]


def run_of(rows, part=None):
    """A run and the rows that an earlier one answered."""
    run = Checkpoint("map_rows", {"m": 1}, rows[:1], rows, part)
    return run, [json.loads(line) for lines, _ in run.earlier() for line in lines]


def answer(run, count=None):
    """Answer rows, all without a count; return them."""
    found = []
    for row in run.rows:
        found.append(row)
        run.add(row, json.dumps(row).encode(), {"done": row["id"] + 1})
        if len(found) == count:
            break
    return found


def lists(workspace):
    return sorted(path for path in workspace.resources if LIST.search(path))


def writes(workspace):
    """(path, size) of each state that was written."""
    for one in workspace.requests:
        if one.method == "POST" and "/resources/" in one.path:
            given = json.loads(one.body)
            _, _, path = one.path.partition("/update_value/")
            yield path or given["path"], len(one.body)


def test_what_is_written_grows_with_the_parts_and_not_with_their_square(
    workspace, monkeypatch
):
    monkeypatch.setattr(checkpoint, "LIST_PARTS", 16)

    def written(parts):
        workspace.requests.clear()
        run, _ = run_of(numbered(2 * parts))
        answer(run)
        found = list(writes(workspace))
        run.finish()
        assert not workspace.resources
        assert not workspace.objects
        once = Counter(path for path, _ in found if LIST.search(path))
        assert len(once) == (parts - 1) // 16
        assert set(once.values()) == {1}
        return sum(size for _, size in found), max(size for _, size in found)

    less, largest = written(48)
    more, of_more = written(192)
    assert 3.5 < more / less < 4.5
    assert of_more < 1.2 * largest


@pytest.mark.parametrize("count", range(2, 24, 2))
def test_a_rerun_takes_over_what_is_in_lists(workspace, count):
    rows = numbered(24)
    run, _ = run_of(rows)
    answer(run, count)

    run, taken = run_of(rows)
    assert taken == rows[:count]
    assert answer(run, 2) == rows[count : count + 2]
    run, taken = run_of(rows)
    assert taken == rows[: count + 2]
    assert answer(run) == rows[count + 2 :]
    assert len(lists(workspace)) >= 2
    run.finish()
    assert not workspace.resources
    assert not workspace.objects


@pytest.mark.parametrize("kept", ["state", "storage"])
def test_a_part_of_a_table_is_joined_from_lists_and_forgotten(
    workspace, kept, monkeypatch
):
    monkeypatch.setattr(checkpoint, "SHARE_ROWS", 1)
    rows = numbered(20)
    run, _ = run_of(rows, {**PART, "kept": kept})
    answer(run, 9)
    run.leave()
    answer(run)  # nobody asked them
    run.flush()

    assert {"_rest_" in path for path in lists(workspace)} == {True, False}
    kept = checkpoint.KeptPart(run.path)
    assert kept.rows == 20
    assert [json.loads(line) for line in kept.lines()] == rows
    again, taken = run_of(rows, {**PART, "kept": kept})
    assert taken == rows[:9]
    answer(again)
    assert checkpoint.KeptPart(run.path).rows == 20
    assert not [path for path in lists(workspace) if "_rest_" in path]
    checkpoint.forget([run.path])
    assert not workspace.resources
    assert not workspace.objects


def test_a_journal_that_has_all_its_parts_itself_is_understood(workspace, monkeypatch):
    rows = numbered(60)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "LIST_PARTS", 1000)
        run, _ = run_of(rows)
        answer(run, 40)
    state = workspace.resources[run.path]["value"]
    assert list(state) == ["parts"]
    assert len(state["parts"]) == 20

    run, taken = run_of(rows)
    assert taken == rows[:40]
    answer(run, 4)
    run, taken = run_of(rows)
    assert taken == rows[:44]
    answer(run)
    run.finish()
    assert not workspace.resources
    assert not workspace.objects


@pytest.mark.parametrize("changed", range(1, 20, 3))
def test_rows_that_changed_end_what_is_taken_over(workspace, changed):
    rows = numbered(24)
    run, _ = run_of(rows)
    answer(run, 20)
    rows[changed] = {"id": 99}

    run, taken = run_of(rows)
    holds = changed // 2 * 2
    assert taken == rows[:holds]
    answer(run, 8 if holds < 16 else 2)
    run, taken = run_of(rows)
    assert taken == rows[: holds + (8 if holds < 16 else 2)]
    assert taken + answer(run) == rows
    run.finish()
    assert not workspace.resources


@pytest.mark.parametrize("kept", ["object", "state"])
@pytest.mark.parametrize("changed", [1, 3, 9, 19])
def test_what_holds_no_more_is_deleted_once_the_journal_is_written(
    workspace, monkeypatch, changed, kept
):
    monkeypatch.setattr(checkpoint, "SHARE_ROWS", 2)
    monkeypatch.setattr(checkpoint, "SHARE_SECONDS", 1e9)
    part = None if kept == "object" else PART
    rows = numbered(24)
    run, _ = run_of(rows, part)
    answer(run, 20)
    rows[changed] = {"id": 99}

    def places():
        answers = {path for path in workspace.resources if "_answers/" in path}
        return {*workspace.objects} | answers

    before = places()
    assert len(before) == 10
    run, taken = run_of(rows, part)
    assert places() == before  # until another journal is written these may be needed
    answer(run, 2)
    assert len(places()) == len(taken) // 2 + 1
    answer(run)
    assert len(places()) == 12
    assert run_of(rows, part)[1] == rows
    if part:
        checkpoint.forget([run.path])
    else:
        run.finish()
    assert not workspace.objects
    assert not workspace.resources


def test_what_holds_no_more_goes_with_the_journal_of_a_run_that_writes_none(workspace):
    rows = numbered(24)
    run, _ = run_of(rows)
    answer(run, 20)

    run, taken = run_of([*rows[:2], {"id": 99}])
    assert (len(taken), len(answer(run))) == (2, 1)
    run.finish()
    assert not workspace.objects
    assert not workspace.resources


@pytest.mark.parametrize("path", ["upload_s3_file", "resources/(create|update_value)"])
def test_a_refusal_that_passes_does_not_end_the_keeping(workspace, path, capsys):
    rows = numbered(24)
    run, _ = run_of(rows)
    answer(run, 6)
    workspace.faults.append(Fault(path, 500, times=2))
    answer(run, 9)
    assert "kept later" in capsys.readouterr().err
    run.flush()

    assert run_of(rows)[1] == rows[:15]
    assert answer(run) == rows[15:]
    run.finish()
    assert not workspace.objects
    assert not workspace.resources


def test_the_last_part_is_tried_again_at_once(workspace, monkeypatch):
    monkeypatch.setattr("scripts.resilience.retry.FIRST_WAIT", 0.01)
    rows = numbered(24)
    run, _ = run_of(rows)
    answer(run, 5)
    workspace.faults.append(Fault("upload_s3_file", 503, times=3))
    run.leave()

    assert run_of(rows)[1] == rows[:5]


def left_run(rows, part=None, kept=3, early=2):
    """A run that leaves a row, and has answers to some behind it."""
    run, _ = run_of(rows, part)
    answer(run, kept)
    run.leave()
    for row in rows[kept + 1 : kept + 1 + early]:
        run.add_early(row, json.dumps(row).encode())
    run.close({"lost": 1})
    return run


@pytest.mark.parametrize("part", [None, PART, {**PART, "kept": "storage"}])
def test_what_a_run_paid_for_behind_a_row_that_it_left_is_found_again(workspace, part):
    rows = numbered(9)
    left_run(rows, part)
    places = len(workspace.objects)

    for _ in range(2):  # of which the first adds nothing to it
        run, taken = run_of(rows, part)
        assert taken == rows[:3]
        assert run.paid == {"lost": 1}
        run.close({"lost": 1})
    assert len(workspace.objects) == places
    run, _ = run_of(rows, part)
    found = [run.early_answer(row) for row in run.rows]
    assert found == [None, rows[4], rows[5], None, None, None]
    run.close({"lost": 2})
    assert run_of(rows, part)[0].paid == {"lost": 2}
    run.finish()
    assert not workspace.objects
    assert not workspace.resources


def test_rows_alike_have_as_many_early_answers_as_were_paid_for(workspace):
    rows = [{"id": 7}] * 9
    left_run(rows)

    run, _ = run_of(rows)
    found = [run.early_answer(row) for row in run.rows]
    assert found == [rows[0], rows[0], None, None, None, None]


def test_early_answers_that_nobody_took_are_left_to_the_next_run(workspace):
    rows = numbered(9)
    left_run(rows, early=4)

    run, _ = run_of(rows)
    assert run.early_answer(rows[5]) == rows[5]
    run.close({"lost": 2})
    run, _ = run_of(rows)
    found = [run.early_answer(row) for row in run.rows]
    assert found == [None, rows[4], None, rows[6], rows[7], None]
    assert len(workspace.objects) == 2 + 1  # of three rows, and what is early


def test_a_run_that_was_killed_leaves_the_early_answers_and_counts_on(workspace):
    rows = numbered(9)
    left_run(rows)
    run, _ = run_of(rows)
    run.add(rows[3], b"{}", {"done": 4, "lost": 5})
    run.flush()  # and it is killed

    run, taken = run_of(rows)
    assert len(taken) == 4
    # The sums of the last part have what the run before had paid.
    assert run.paid == {}
    assert run.early_answer(rows[4]) == rows[4]


def test_what_rows_that_were_left_cost_is_kept_with_them(workspace):
    rows = numbered(9)
    run, _ = run_of(rows, PART)
    answer(run, 2)
    run.leave()
    run.add(rows[2], b"{}", {"done": 2, "failed": 1, "lost": 3})
    run.flush()  # and it is killed

    assert run_of(rows, PART)[0].paid == {"lost": 3, "model": None}


def test_what_the_last_part_says_is_not_written_once_more(workspace):
    rows = numbered(9)
    run, _ = run_of(rows)
    run.add(rows[0], b"{}", {"done": 1, "lost": 2})
    run.leave()
    before = len(workspace.requests)
    run.close({"lost": 2, "model": None})
    assert len(workspace.requests) == before

    run.close({"lost": 3, "model": None})
    assert run_of(rows)[0].paid == {"lost": 3, "model": None}


def test_early_answers_that_are_gone_are_asked_again(workspace, capsys):
    rows = numbered(9)
    left_run(rows)
    del workspace.objects[[*workspace.objects][-1]]

    run, taken = run_of(rows)
    assert (len(taken), run.early_answer(rows[4])) == (3, None)
    assert "are not there any more" in capsys.readouterr().err


def test_early_answers_that_cannot_be_read_for_now_end_the_run(workspace):
    rows = numbered(9)
    left_run(rows)
    workspace.faults.append(Fault("download_s3_file", 503, times=10**6))
    with pytest.raises(TogetherError):
        run_of(rows)


@pytest.mark.parametrize("path", ["upload_s3_file", "resources/(create|update_value)"])
def test_the_end_of_a_run_is_tried_again(workspace, monkeypatch, path):
    monkeypatch.setattr("scripts.resilience.retry.FIRST_WAIT", 0.01)
    rows = numbered(9)
    run, _ = run_of(rows)
    answer(run, 2)
    run.leave()
    run.add_early(rows[4], b"4")
    workspace.faults.append(Fault(path, 503, times=3))
    run.close({"lost": 1})

    assert len(workspace.objects) == 2
    run, taken = run_of(rows)
    assert (taken, run.paid) == (rows[:2], {"lost": 1})
    assert run.early_answer(rows[4]) == 4
    run.finish()
    assert not workspace.objects
    assert not workspace.resources


@pytest.mark.parametrize(("status", "most"), [(403, 2), (500, 64)])
def test_a_run_that_cannot_keep_rows_holds_few_of_them(workspace, status, most):
    run, _ = run_of(numbered(1000))
    workspace.faults.append(Fault("upload_s3_file", status, times=10**6))
    held = []
    for row in run.rows:
        run.add(row, b"{}", {})
        held.append(len(run.lines))

    assert max(held) <= most
    assert (held[-1], run.path) == (0, None)
    assert len([one for one in workspace.requests if "upload" in one.path]) <= 5


def test_a_list_that_is_not_there_ends_what_is_taken_over(workspace):
    rows = [{"id": 7}] * 24  # all alike: no digest tells them apart
    run, _ = run_of(rows)
    answer(run, 20)
    del workspace.resources[lists(workspace)[1]]

    run, taken = run_of(rows)
    assert taken == rows[:6]
    assert len(answer(run)) == 18


def test_two_jobs_at_the_same_rows_never_write_to_the_others_lists(workspace):
    """Windmill starts a job anew whose worker died while its process lives on."""
    rows = numbered(60)
    first, _ = run_of(rows)
    answer(first, 20)
    second, taken = run_of(rows)
    assert taken == rows[:20]
    answer(second, 22)
    answer(first, 30)  # the last to write

    run, taken = run_of(rows)
    assert taken == rows[:50]
    assert taken + answer(run) == rows


@pytest.mark.parametrize("refused", range(4))
def test_a_part_that_could_not_be_kept_is_kept_once(workspace, monkeypatch, refused):
    """The error ends the run, which keeps what it has."""
    monkeypatch.setattr(checkpoint, "SHARE_ROWS", 1)
    rows = numbered(12)
    run, _ = run_of(rows, PART)
    answer(run, 3 + refused)
    workspace.faults.append(Fault("update_value/.*togetherai_parts/", 403, times=1))
    with pytest.raises(TogetherError):
        answer(run, 1)
    run.flush()

    assert checkpoint.KeptPart(run.path).rows == 4 + refused
    _, taken = run_of(rows, PART)
    assert taken == rows[: 4 + refused]


def test_what_nobody_repeats_goes_after_a_week_with_its_lists(workspace):
    rows = numbered(24)
    left, _ = run_of(rows)
    answer(left, 20)
    found, objects = lists(workspace), set(workspace.objects)
    assert found
    for path in found:  # a run may go on for longer than a week
        workspace.resources[path]["edited_at"] = "2020-01-01T00:00:00Z"

    def another(number):
        other = numbered(8, number)
        run, _ = run_of(other)
        answer(run)
        run.finish()

    another(100)
    assert lists(workspace) == found
    assert set(workspace.objects) == objects
    assert run_of(rows)[1] == rows[:20]

    workspace.resources[left.path]["edited_at"] = "2020-01-01T00:00:00Z"
    another(200)
    assert not workspace.resources
    assert not workspace.objects


def test_lists_are_no_records_of_which_the_oldest_are_forgotten(workspace, monkeypatch):
    monkeypatch.setattr("scripts.workspace.create_once.MOST", 2)
    rows = numbered(24)
    run, _ = run_of(rows)
    answer(run, 20)
    assert len(lists(workspace)) > 2
    other, _ = run_of(numbered(4, 100))
    answer(other)
    other.finish()

    assert run_of(rows)[1] == rows[:20]


@pytest.mark.parametrize("written", [True, False])
def test_a_kill_around_the_writing_of_a_list_loses_nothing(
    fault_sandbox, workspace, worker, monkeypatch, written
):
    real, found = workspace.answer, []

    async def kill(request, path):
        new = path.endswith("/resources/create") and LIST.search(
            (await request.body()).decode()
        )
        found.extend([path] if new else [])
        if new and len(found) == 2 and not written:
            worker.kill()
        response = await real(request, path)
        if new and len(found) == 2 and written:
            worker.kill()
        return response

    auth = {"api_key": "tgp_journal_0123456789", "base_url": fault_sandbox.url}
    call = {"auth": auth, "model": MODEL, "template": "{{id}}", "rows": numbered(40)}
    small = {"checkpoint.PART_ROWS": 2, "checkpoint.LIST_PARTS": 3}
    job = workspace.environment, small
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "answer", kill)
        assert worker.run("chat.map_rows", call, *job) is None
    kept = 2 * 6
    [journal] = [path for path in workspace.resources if not LIST.search(path)]
    state = workspace.resources[journal]["value"]
    assert sum(one["held"] for one in state["parts_lists"]) == 1
    assert len(state["parts"]) == 3
    before = len(fault_sandbox.bodies)
    again = worker.run("chat.map_rows", call, *job)

    assert [row["answer"] for row in again["rows"]] == [f"{n}!" for n in range(40)]
    assert again["usage"]["prompt_tokens"] == 400
    texts = {body["messages"][0]["content"] for body in fault_sandbox.bodies[before:]}
    assert texts == {str(n) for n in range(kept, 40)}
    assert not workspace.resources
    assert not workspace.objects


def refuse_from(workspace, method, moment):
    """From the n-th such request on nothing is carried out, as after a kill."""
    real, count = workspace.answer, 0

    async def answer(request, path):
        nonlocal count
        count += request.method == method
        if count > moment:
            return PlainTextResponse("no", 403)
        return await real(request, path)

    workspace.answer = answer


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(0, marks=pytest.mark.slow),
        8,
        pytest.param(18, marks=pytest.mark.slow),
    ],
)
def test_a_rerun_that_ends_at_any_write_leaves_no_state_for_good(workspace, before):
    rows = numbered(32)
    for moment in range(20):
        run, _ = run_of(rows)
        answer(run, before)
        run, _ = run_of(rows)
        refuse_from(workspace, "POST", moment)
        answer(run, 14)
        del workspace.answer

        run, taken = run_of(rows)
        assert taken == rows[: max(before, len(taken))]
        assert taken + answer(run) == rows
        run.finish()
        assert not workspace.resources, moment


def test_a_run_that_ends_while_it_forgets_leaves_what_still_holds(workspace):
    """Whatever is deleted first, the next run takes over what is left, and no list
    stays behind."""
    rows = numbered(24)
    for moment in range(16):
        run, _ = run_of(rows)
        answer(run)
        refuse_from(workspace, "DELETE", moment)
        run.finish()
        del workspace.answer

        run, taken = run_of(rows)
        assert len(taken) == max(0, 24 - 2 * moment) or moment > 3
        assert taken + answer(run) == rows
        run.finish()
        assert not workspace.resources, moment
        assert not workspace.objects, moment
