"""The members of a result that make Windmill show pictures, sounds or clips."""

from __future__ import annotations

import base64

from .filetypes import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members

RENDERERS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif"}


def pictures(files: list[tuple[bytes, str]]) -> Members:
    """Return the members by which Windmill shows pictures: (bytes, name) of each."""
    if len(files) == 1 and kind_of(files[0][0]) in RENDERERS:
        data, name = files[0]
        kind = RENDERERS[kind_of(data)]
        content = base64.b64encode(data).decode()
        return {"wm_renderer": kind, kind: {"content": content, "filename": name}}
    places = []
    for data, name in files:
        text = base64.b64encode(data).decode()
        places.append((name, f"data:{kind_of(data) or 'image/png'};base64,{text}"))
    return view("picture", places)


def view(kind: str, places: list[tuple[str, str]]) -> Members:
    """Return the members by which Windmill shows what the browser fetches itself.

    `places` are (name, URL), data URIs among them; `kind` is picture, video or audio.
    Anything else has no view.
    """
    if kind == "picture":
        style = "max-width:100%;max-height:512px;margin:4px"
        tag = f'<img src="{{}}" alt="{{}}" style="{style}">'
    elif kind == "video":
        tag = '<video controls src="{}" title="{}" style="max-width:100%"></video>'
    elif kind == "audio":
        tag = '<audio controls src="{}" title="{}"></audio>'
    else:
        return {}
    if not places:
        return {}
    from html import escape  # its table of names is long, and most jobs show nothing

    tags = (tag.format(escape(url), escape(name)) for name, url in places)
    return {"wm_renderer": "html", "html": "".join(tags)}
