"""Which script or flow a person means: by id, name, path or file."""

from difflib import get_close_matches
from pathlib import PurePath

from tools.flows.pack_flows import INNER, Flow, readable, unreadable
from tools.operations import ROOT, Operation, scripts
from tools.pages import recipes

ENDINGS = (".json", ".yaml", ".py")


def runnable_named(text: str) -> Operation | Flow:
    """The script or flow of an id (chat/ask_model), a name (ask_model), a path in
    Windmill (f/togetherai/chat/ask_model) or a file (schemas/chat/ask_model.json).

    Raises ValueError, with what may have been meant.
    """
    parts = shortened(text)
    known: dict[str, Operation | Flow] = {one.id: one for one in scripts(ROOT)}
    name = "/".join(parts[-2:])
    if name in known:  # before flows are read, of which one may be broken
        return known[name]
    found = [*readable(ROOT), *recipes.readable(ROOT)]
    known |= {flow.id: flow for flow in found}
    if name in known:
        return known[name]
    # Alone, or in a folder that says nothing of it, as flows/inner/wait_for_job.yaml.
    same = [one for id, one in known.items() if id.split("/")[1] == parts[-1]]
    if len(same) == 1 and (len(parts) == 1 or parts[-2] in (INNER, "flows")):
        return same[0]
    for path, why in (*unreadable(ROOT), *recipes.unreadable(ROOT)):
        if path.stem == parts[-1]:
            raise ValueError(f"{path.relative_to(ROOT)} {why}")
    raise ValueError(_unknown(text, name, list(known)))


def shortened(text: str) -> list[str]:
    """The parts of a path, without the ending of a file or of a flow's folder."""
    parts = [part for part in PurePath(text).parts if part not in ("/", ".")]
    if parts and parts[-1] == "flow.yaml":
        parts.pop()
    if not parts:
        return [""]
    for ending in (*ENDINGS, ".script", "__flow"):
        parts[-1] = parts[-1].removesuffix(ending)
    return parts


def _unknown(text: str, name: str, known: list[str]) -> str:
    if text.strip("/") in {id.split("/")[0] for id in known}:
        group = text.strip("/")
        return f"{group} is a group: `./dev list {group}` shows what is in it"
    close = get_close_matches(name, known, 3, 0.5)
    if not close:
        words = [(id, id.split("/")[1]) for id in known]
        near = get_close_matches(name.split("/")[-1], [word for _, word in words], 3)
        close = [id for id, word in words if word in near]
    if close:
        return f"no script or flow {text}; did you mean {' or '.join(close)}?"
    return f"no script or flow {text}; `./dev list` shows all"
