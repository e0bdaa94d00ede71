"""What the slow tests and the screenshots need of Node: packages, and the built page.

Packages are those of tests/windmill/package.json, in exactly the locked versions.
Windmill's own components are fetched beside them and not through npm's installer: they
name fifty packages of editors, charts and maps that a form does not need. They are
AGPL: fetched where they are used, never part of the pack.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from tools.operations import ROOT

PLACE = ROOT / "tests" / "windmill"
PRISM = ROOT / "tests" / "prism"  # what tools/probes/prism.py needs


def install(place: Path = PLACE) -> None:
    """Install what package.json names, unless it is there in just those versions.

    Raises OSError when Node's npm is missing or an installation fails, and ValueError
    when a package is not, byte for byte, the one that was named.
    """
    with _alone(place):
        about = json.loads((place / "package.json").read_text())
        wanted = about["dependencies"].items()
        if any(version != _installed(place, name) for name, version in wanted):
            _run(place, "npm", "ci", "--silent")
        for name, package in about["unpacked"].items():
            if package["version"] != _installed(place, name):
                _unpack(place, name, **package)


def _installed(place: Path, name: str) -> str | None:
    about = place / "node_modules" / name / "package.json"
    return json.loads(about.read_text())["version"] if about.exists() else None


def _unpack(place: Path, name: str, version: str, integrity: str) -> None:
    """Fetch one package alone, without what it depends on."""
    modules = place / "node_modules"
    modules.mkdir(exist_ok=True)  # no other package may have made it
    with tempfile.TemporaryDirectory(dir=modules) as folder:
        words = ("--json", "--silent", "--pack-destination", folder)
        said = _run(place, "npm", "pack", f"{name}@{version}", *words)
        found = json.loads(said)[0]
        if found["integrity"] != integrity:
            raise ValueError(f"{name}@{version} is {found['integrity']}")
        with tarfile.open(Path(folder) / Path(found["filename"]).name) as archive:
            archive.extractall(folder, filter="data")
        shutil.rmtree(modules / name, ignore_errors=True)
        (Path(folder) / "package").rename(modules / name)


def page(place: Path = PLACE) -> Path:
    """The folder of the page around Windmill's form; built when its sources changed.

    Raises OSError when the build fails.
    """
    return made(place, "form", "index.html")


def made(place: Path, name: str, main: str) -> Path:
    """The folder of what vite makes of another one; only it has the file `main`."""
    install(place)
    sources = [place / "package-lock.json", place / "package.json"]
    sources += sorted(path for path in (place / name).iterdir() if path.is_file())
    parts = (path.name.encode() + path.read_bytes() for path in sources)
    stamp = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    target = place / "built" / stamp
    with _alone(place):
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                vite = place / "node_modules" / "vite" / "bin" / "vite.js"
                words = ("build", "--config", f"{name}/vite.config.js", "--outDir")
                _run(place, "node", str(vite), *words, f"{folder}/made")
                for older in target.parent.glob(f"*/{main}"):
                    shutil.rmtree(older.parent)
                (Path(folder) / "made").rename(target)
    return target


def _run(place: Path, program: str, *words: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise OSError(f"{program} is missing: Node 20 or newer is needed")
    done = subprocess.run([path, *words], cwd=place, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout)[-3000:]
        raise OSError(f"{program} {' '.join(words)} failed: {said}")
    return done.stdout


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """No two processes install or build in the same place at once."""
    (place / "built").mkdir(exist_ok=True)
    with FileLock(place / "built" / ".lock"):
        yield
