"""Pictures of forms for docs/forms, as Windmill's own component has them: of each step
that a person fills in, and of important operations. A picture holds a digest of the
form that it shows, so that an old one is known without a browser.
"""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.operations import ROOT, Operation, find
from tools.pages.browser import Browser
from tools.pages.node import PLACE
from tools.pages.reference import FORMS
from tools.sandbox import Sandbox
from tools.schemas.form import form
from tools.schemas.shelves import shelves

IMPORTANT = (
    "chat/create_chat_completion",
    "images/generate_image",
    "audio/create_speech",
    "audio/create_transcription",
    "embeddings/create_embeddings",
    "rerank/rerank_documents",
    "files/upload_file",
    "batches/create_batch",
    "fine_tuning/create_fine_tune",
    "evaluations/create_evaluation",
    "videos/create_video",
    "endpoints/create_endpoint_deployment",
)
# The arguments of these are written by models and by flows; nobody sees their forms.
UNSEEN = ("For agents to call", "Parts of flows")
KEYWORD = "Form"  # of the text chunk with the digest


def pictured(root: Path = ROOT) -> list[str]:
    """The ids of what has a picture."""
    listed = shelves(root).items()
    steps = [id for shelf, ids in listed if shelf not in UNSEEN for id in ids]
    return [*steps, *IMPORTANT]


def outdated(folder: Path = ROOT / FORMS, root: Path = ROOT) -> list[str]:
    """The ids of those whose picture is missing, or is of another form than today's."""
    found = (find(id, root) for id in pictured(root))
    return [one.id for one in found if shown(folder / f"{one.name}.png") != digest(one)]


def notes(root: Path = ROOT) -> Iterator[str]:
    """A line for pictures that are old, and one for those of nothing."""
    folder = root / FORMS
    if old := outdated(folder, root):
        yield (
            f"note: no picture of today's form: {', '.join(old)}; `./dev screenshots` "
            "makes them (it needs Node and Chromium)"
        )
    known = {id.partition("/")[2] for id in pictured(root)}
    if gone := sorted(p.name for p in folder.glob("*.png") if p.stem not in known):
        yield f"note: pictures of nothing in {FORMS}: {', '.join(gone)}"


def digest(script: Operation) -> str:
    """Of all that the form of a script shows."""
    parts = [script.id, script.schema["title"], form(script)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def shown(picture: Path) -> str | None:
    """The digest of the form that a picture shows; None where there is none."""
    if not picture.exists():
        return None
    mark = rb"tEXt" + KEYWORD.encode() + rb"\0([0-9a-f]{16})"
    found = re.search(mark, picture.read_bytes()[:200])
    return found[1].decode() if found else None


def screenshots(folder: Path, ids: Iterable[str]) -> Iterator[Path]:
    """Write <folder>/<name>.png for each script; yield each when written.

    The models that they offer are the sandbox's. Raises KeyError for no script, and
    OSError when Node, its packages or Chromium are missing.
    """
    scripts = [find(id) for id in ids]
    if not scripts:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with Sandbox() as sandbox:
        auth = {"api_key": "sandbox", "base_url": sandbox.url}
        with Browser(auth) as browser:
            for script in scripts:
                browser.show(script)
                path = folder.resolve() / f"{script.name}.png"
                browser.picture(path)
                _small(path, digest(script))
                yield path


def _small(path: Path, text: str) -> None:
    words = [PLACE / "small_picture.mjs", path, KEYWORD, text]
    done = subprocess.run(["node", *words], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{path.name} cannot be made small: {done.stderr[-500:]}")
