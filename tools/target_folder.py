"""Where the pack goes in a workspace, and how all that it says of itself follows.

The sources are written for f/togetherai. Scripts import each other relatively and need
no change; the paths that flows, schedules, metadata and texts hold do.
"""

import keyword
import re

FOLDER = "f/togetherai"


def checked(folder: str) -> str:
    """The folder, if Windmill can run Python scripts in it. Raises ValueError.

    A worker makes a Python package of a script's folders and asks for the modules that
    it imports by the package's name, so that a folder must be one: Windmill writes
    another name in its place for `my-team`, `2nd` or `a@b.c`, and then finds nothing.
    """
    if not re.fullmatch(r"[fu]/[^/]+(/[^/]+)*", folder) or folder.count("/") < (
        2 if folder.startswith("u/") else 1
    ):
        raise ValueError(
            f"{folder!r} is no Windmill folder: take f/name or u/user/name"
        )
    for part in folder.split("/")[1:]:
        if not re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII) or keyword.iskeyword(part):
            raise ValueError(
                f"{folder!r} cannot hold Python scripts that import each other: "
                f"{part!r} is no name of a Python package (letters, digits and _)"
            )
    return folder


def moved(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    """The files of a sync tree made for f/togetherai, for another folder: their places,
    and every path that they hold, as f/togetherai/... and as f.togetherai."""
    if folder == FOLDER:
        return files
    dotted = folder.replace("/", ".")
    # Not a part of a longer name; a line may begin with it, also where YAML or JSON
    # writes the break before it as an escape.
    own = re.compile(rb"(?:(?<![\w./-])|(?<=\\[nt]))f([/.])togetherai(?![\w-])")

    def put(match: re.Match) -> bytes:
        return (folder if match[1] == b"/" else dotted).encode()

    return {
        own.sub(put, path.encode()).decode(): own.sub(put, content)
        for path, content in files.items()
    }
