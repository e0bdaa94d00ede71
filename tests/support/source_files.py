"""The project's own files: as git lists them, outside a clone by its .gitignore."""

import fnmatch
import os
import subprocess
from pathlib import Path


def source_files(root: Path) -> list[str]:
    """The paths within a folder of what is not made there. Raises CalledProcessError
    where git cannot list a clone."""
    if (root / ".git").exists():
        words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(words, cwd=root, capture_output=True, check=True)
        names = listed.stdout.decode().split("\0")
        return sorted(name for name in names if name and (root / name).is_file())
    ignored = (root / ".gitignore").read_text(encoding="utf-8").split()
    found = []
    for folder, folders, files in os.walk(root):
        within = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders if not _is_ignored(within / name, ignored)
        ]
        places = [within / name for name in files]
        found += [p.as_posix() for p in places if not _is_ignored(p, ignored)]
    return sorted(found)


def _is_ignored(path: Path, ignored: list[str]) -> bool:
    """Whether one of the patterns of this .gitignore is of a path: those with a slash
    within are of the whole path, the others of its last part."""
    for pattern in ignored:
        bare = pattern.strip("/")
        whole = "/" in pattern.rstrip("/")
        if fnmatch.fnmatchcase(path.as_posix() if whole else path.name, bare):
            return True
    return False
