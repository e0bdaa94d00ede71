"""Under which heading a person looks for a step: schemas/_shelves.yaml."""

from pathlib import Path

from tools.operations import scripts, steps
from tools.yaml_text import object_of

FILE = "schemas/_shelves.yaml"


def shelves(root: Path) -> dict[str, list[str]]:
    """The headings in order, each with the ids of its steps; of a pack that has no
    such file, one with all. Raises ValueError where the file is not YAML."""
    mine = [step.id for step in steps(root)]
    if not (root / FILE).exists():
        return {"Above the API": mine} if mine else {}
    return _read(root)


def misplaced(root: Path) -> list[str]:
    """What is wrong with the headings, in words."""
    if not (root / FILE).exists():
        return []
    try:
        listed = [id for ids in _read(root).values() for id in ids]
    except ValueError as error:
        return [str(error)]
    # A schema that cannot be read may be either: that is told of it alone.
    unread = {one.id for one in scripts(root) if not one.readable}
    mine = {one.id for one in scripts(root) if one.readable and one.step}
    twice = {id for id in listed if listed.count(id) > 1}
    return [
        *(
            f"{id} is a step: write it under a heading"
            for id in sorted(mine - {*listed})
        ),
        *(f"there is no step {id}" for id in sorted({*listed} - mine - unread)),
        *(f"{id} stands there twice" for id in sorted(twice)),
    ]


def _read(root: Path) -> dict[str, list[str]]:
    found = object_of(FILE, (root / FILE).read_text(encoding="utf-8"))
    if not all(isinstance(ids, list) for ids in found.values()):
        raise ValueError(f"{FILE}: headings, each with a list of steps, belong there")
    return found
