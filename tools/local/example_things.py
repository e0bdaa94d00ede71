"""What the examples of steps and flows speak of, put there for a `./dev run` that the
embedded sandbox answers: objects in storage, addresses at example.com, a script, a flow
and a run of a user's, what an earlier step has made.

Only what the arguments name is put there, and nothing over what is there. What cannot
be put there is in examples.py.
"""

import gzip
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from tools.flows.pack_flows import Flow
from tools.local.examples import example_of, needs
from tools.local.local_files import takes_file
from tools.operations import Operation
from tools.sandbox import Sandbox, picture, tone
from tools.target_folder import FOLDER

if TYPE_CHECKING:
    from tools.local.fake_workspace import Workspace

# Addresses that are nobody's, RFC 2606.
NOBODY = re.compile(r"https://(?:[\w-]+\.)*example\.com/")
STORED = "s3:///"
IN_STORAGE = re.compile(r"s3:///([^\s\"'<>\\]+)")
RUN = "018f2f6a-5c1e-7b3d-9a40-2c6d8e0f1a35"  # of a flow, in examples
DATABASE = "f/shop/db"
GUARD = f"{FOLDER}/inner/guard_job"
LARGE = 10_000  # bytes of an object that is not read for what it names
CANNED = ("agent/fetch_batch",)  # the sandbox knows the id of its example


def _lines(*rows: dict) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _word(*paragraphs: str) -> bytes:
    """A Word file of these paragraphs. ECMA-376, 17.2."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{one}</w:t></w:r></w:p>" for one in paragraphs)
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        document = f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", document)
    return made.getvalue()


def _conversation(number: int) -> dict:
    asked = {"role": "user", "content": f"Where is order {number}?"}
    told = {"role": "assistant", "content": f"Order {number} is on its way."}
    return {"messages": [asked, told]}


def _parquet() -> bytes | None:
    """A Parquet file of two orders; None without the library that reads it too."""
    try:
        from arro3 import core, io  # which only who installed it has
    except ImportError:
        return None
    numbers = core.Array([17, 18], core.DataType.int64())
    cities = core.Array(["Oslo", "Lima"], core.DataType.string())
    fields = [core.Field("number", numbers.type), core.Field("city", cities.type)]
    table = core.RecordBatch.from_arrays([numbers, cities], schema=core.Schema(fields))
    made = BytesIO()
    io.write_parquet(table, made)
    return made.getvalue()


REVIEWS = b"text,stars\nThe shoes are too small.,2\nI like the colour.,5\n"
PAGE = b"<h1>Terms</h1><p>Tell the customer of a breach within a day.</p>"
OBJECTS: dict[str, bytes | Callable[[], bytes]] = {
    "calls/1.mp3": tone,
    "calls/7.mp3": tone,
    "calls/november/1.mp3": tone,
    "calls/november/2.mp3": tone,
    "calls/november.csv": b"call,sound\n1,s3:///calls/1.mp3\n7,s3:///calls/7.mp3\n",
    "comments.csv": b"comment,text\nIt broke.,It broke.\nLovely.,Lovely.\n",
    "evaluation/prompts.jsonl": _lines({"prompt": "Why is the sky blue?"}),
    "handbook/leave.docx": lambda: _word("Leave", "There are 30 days of leave."),
    "inbox/1.csv": REVIEWS,
    "inbox/questions/1.csv": REVIEWS,
    "letters/ada.txt": b"Dear Charles, the engine is a marvel. Ada, 1843.",
    "letters/grace.txt": b"Dear Ada, we found a moth in it. Grace, 1947.",
    "letters/list.csv": b"letter\ns3:///letters/ada.txt\ns3:///letters/grace.txt\n",
    "meetings/monday.mp3": tone,
    "notes/long.txt": b"Ann sends the offer on Friday. " * 2000,
    "offers/a.docx": lambda: _word("Offer A", "The guarantee lasts two years."),
    "offers/b.md": b"# Offer B\n\nThe guarantee lasts three years.\n",
    "passages.jsonl": _lines(
        {"text": "The guarantee lasts two years.", "embedding": [0.6, 0.8] + 6 * [0]},
        {"text": "It is due on Friday.", "embedding": [0.8, 0.6] + 6 * [0]},
    ),
    "reviews.csv": REVIEWS,
    "scans/1.png": lambda: picture("scan"),
    "shop/comments.jsonl": _lines({"comment": "It broke."}, {"comment": "Lovely."}),
    "shop/products.csv": b"name,text,price\nRed shoes,Red shoes,80\nHat,Blue hat,20\n",
    "shop/reviews.csv": REVIEWS,
    "shop/texts.jsonl": _lines(
        {"text": "Good morning", "language": "German", "body": "Good morning"},
        {"text": "Thank you", "language": "French", "body": "Thank you"},
    ),
    "sizes.csv": b"eu,uk\n38,5\n42,8\n",
    "training/support.jsonl": _lines(*map(_conversation, range(20))),
    "windmill_uploads/0a1b_map_rows.jsonl.gz": lambda: gzip.compress(
        _lines({"text": "Red shoes", "answer": "Rote Schuhe"})
    ),
    "windmill_uploads/1f2e_picture-1.png": lambda: picture("fox"),
    "zoo/animals.csv": b"animal,place\nA fox,the snow\nAn owl,a barn\n",
}
# What an address at example.com leads to that is none of them, by its ending.
BY_ENDING: dict[str, bytes | Callable[[], bytes | None]] = {
    "csv": REVIEWS,
    "html": PAGE,
    "jpg": lambda: picture("photo"),
    "md": b"# Notes\n\nAnn sends the offer on Friday.\n",
    "mp3": tone,
    "parquet": _parquet,
    "png": lambda: picture("photo"),
    "txt": b"Ann sends the offer on Friday.\n",
}


def stage(
    given: dict,
    found: Operation | Flow,
    workspace: "Workspace",
    sandbox: Sandbox | None,
    auth: dict,
    say: Callable[[str], None],
) -> dict:
    """The arguments of a run that the sandbox answers, once what they name is there.
    Without a sandbox, of a dry run: only objects in storage are put there."""
    if sandbox is None:
        _put(given, workspace)
        return given
    for number in (0, -1):
        lacking = needs(found, number)
        if lacking and given == example_of(found)[number]:
            say(f"this example needs {lacking}")
            return given
    staged = _before(given, found, workspace, sandbox, auth)
    told = sorted(name for name in staged if staged[name] != given.get(name))
    if told:
        say(f"of the example: {', '.join(told)} made by a run before this one")
    foreign: list[str] = []
    # An operation of the API opens no address: it sends it.
    sent = isinstance(found, Operation) and found.step is None
    members = {"properties": found.arguments}
    local = staged if sent else _at_hand(staged, members, foreign)
    if foreign:
        say("of the example: what is at example.com comes from this machine")
    told = [*_texts(local), *BESIDE.get(found.id, ())]
    made = [*_put(local, workspace, foreign), *_register(set(told), workspace)]
    if made:
        say(f"of the example, and put there for this run: {', '.join(made)}")
    return local


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _all_objects() -> dict[str, bytes | Callable[[], bytes]]:
    from tools.pages.samples import OBJECTS as SHOWN  # of the reference

    return {**SHOWN, **OBJECTS}


def _content(key: str) -> bytes | None:
    found = _all_objects().get(key)
    return found() if callable(found) else found


def _foreign(key: str) -> bytes | None:
    """What an address at example.com leads to, by its path."""
    found = _content(key)
    if found is None:
        found = BY_ENDING.get(key.rpartition(".")[2])
    return found() if callable(found) else found


def _at_hand(value: object, member: dict, foreign: list[str]) -> object:
    """The same with addresses at example.com leading to the workspace's storage, whose
    keys are added to `foreign`. What stands in a row is sent as it is."""
    if isinstance(value, list):
        if takes_file(member) and any(isinstance(row, dict) for row in value):
            return value
        items = member.get("items", {})
        return [_at_hand(one, items, foreign) for one in value]
    if isinstance(value, dict):
        inner = member.get("properties", {})
        local = {
            name: _at_hand(one, inner.get(name, {}), foreign)
            for name, one in value.items()
        }
        if local.get("url") != value.get("url"):  # which means https:// alone
            key = local.pop("url").removeprefix(STORED)
            return {**local, "s3": key}
        return local
    if not isinstance(value, str) or not NOBODY.match(value):
        return value
    key = NOBODY.sub("", value)
    if _foreign(key) is None:
        return value
    foreign.append(key)
    return f"{STORED}{key}"


def _put(given: dict, workspace: "Workspace", foreign: Iterable[str] = ()) -> list[str]:
    """Put what the arguments name into storage; the names of what was put there."""
    made = []
    other = given.get("storage")
    storages = ["", other] if isinstance(other, str) and other else [""]
    for key in dict.fromkeys([*_named(given), *foreign]):
        content = _foreign(key) if key in foreign else _content(key)
        there = {(storage, key) for storage in storages} & workspace.objects.keys()
        if content is None or there:
            continue
        for storage in storages:
            _put_one(key, content, workspace, storage)
        made.append(key)
        if len(content) < LARGE:  # a table of addresses, say
            inner = IN_STORAGE.findall(content.decode("utf-8", "ignore"))
            made += _put({"inner": inner}, workspace)
    return made


def _put_one(
    key: str, content: bytes, workspace: "Workspace", storage: str = ""
) -> None:
    workspace.put(key, content, storage)
    workspace.objects[storage, key].example = True


def _named(given: dict) -> Iterator[str]:
    """The keys that arguments name: as they are, by address, or all of a folder."""
    known = _all_objects()
    for text in _texts(given):
        if text in known:
            yield text
        yield from IN_STORAGE.findall(text)
    if isinstance(folder := given.get("folder"), str):
        start = folder.rstrip("/") + "/"
        yield from (key for key in known if key.startswith(start))


def _find_order(number: int = 12) -> dict:
    """Tell where an order is."""
    return {"number": number, "state": "sent"}


RUNNABLES: dict[str, tuple[Callable, str]] = {
    "f/shop/find_order": (_find_order, "script"),
    "f/shop/cancel_order": (lambda **_: {"cancelled": True}, "flow"),
    "f/sales/weekly": (lambda **_: {"sold": 12}, "flow"),
    GUARD: (lambda **_: None, "flow"),
}
# What a step starts that its arguments do not name.
BESIDE = {"waits/start_guard": (GUARD,)}


def _register(texts: set[str], workspace: "Workspace") -> list[str]:
    """Put the scripts, flows, runs and resources there that the arguments name."""
    from tools.local.fake_workspace import Job

    made = []
    for path, (function, kind) in RUNNABLES.items():
        if path in texts and (kind, path) not in workspace.runnables:
            workspace.register(path, function, kind)
            made.append(path)
    if RUN in texts:
        job = Job("f/sales/weekly", "flow", {}, {}, success=True, result={"sold": 12})
        job.done.set()
        workspace.jobs[RUN] = job
        made.append(f"the run {RUN}")
    if f"$res:{DATABASE}" in texts and DATABASE not in workspace.resources:
        value = {"value": {"host": "db.example.com"}, "resource_type": "postgresql"}
        workspace.resources[DATABASE] = value
        made.append(DATABASE)
    return made


def _before(
    given: dict,
    found: Operation | Flow,
    workspace: "Workspace",
    sandbox: Sandbox,
    auth: dict,
) -> dict:
    """The arguments of an example with what the steps before it would have made."""
    from tools.pages.samples import STAGED, Scene

    staged = found.id in STAGED and found.id not in CANNED
    if not staged or given not in example_of(found):
        return given
    for key in _all_objects():
        if key.startswith("shop/") and ("", key) not in workspace.objects:
            _put_one(key, _content(key) or b"", workspace)
    before = set(workspace.objects)
    made = STAGED[found.id](Scene(sandbox, workspace, dict(auth))) or {}
    for place in workspace.objects.keys() - before:
        workspace.objects[place].example = True
    # What the most of the examples says otherwise than the least stays as it is.
    least = example_of(found)[0]
    alike = [name for name in made if given.get(name) == least.get(name)]
    return {**given, **{name: made[name] for name in alike if name != "auth"}}
