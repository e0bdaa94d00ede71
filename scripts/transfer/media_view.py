"""The members of a result that hold a file, and make Windmill show it.

as_result   bytes, with a view of them where there is one
pictures    a view of pictures
view        a view of what the browser fetches itself
"""

from __future__ import annotations

import base64

from ..client.jsonio import RESULT_LIMIT
from .filetypes import TYPES, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members

RENDERERS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif"}


def as_result(data: bytes, filename: str, content_type: str = "") -> Members:
    """Return {"file": base64, "filename"}, with a view where Windmill has one and the
    result room for it."""
    text = base64.b64encode(data).decode()
    answer = {"file": text, "filename": filename}
    kind = kind_of(data) or content_type
    if kind in TYPES and 2 * len(text) < RESULT_LIMIT:
        place = filename, f"data:{kind};base64,{text}"
        answer |= view(kind.partition("/")[0].replace("image", "picture"), [place])
    return answer


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
