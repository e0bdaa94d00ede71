"""A result as a person at a terminal sees it: rows as a table, pictures, sounds and
charts as files beside them, whose places are told.

Where the output is no terminal, nothing of this is used: it is JSON, whole.
"""

import base64
import binascii
import html
import re
import shutil
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.cli.plain_numbers import written

ROWS = 50  # of a table that are shown
CELL = 300  # characters of a cell or text that are shown
ENDINGS = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF8": "gif",
    b"RIFF": "wav",
    b"ID3": "mp3",
    b"%PDF": "pdf",
}
DATA = re.compile(r"data:[\w/+.;=-]*;base64,([A-Za-z0-9+/=]+)")


def show(result: object, folder: Path, name: str, console: Console) -> None:
    """Print a result; its bytes are written to `folder`, as NAME.png and the like."""
    files = _Files(folder, name)
    rest = files.without(result)
    for path in files.written:
        console.print(f"wrote {path}", style="green", markup=False, highlight=False)
    if isinstance(rest, dict):
        rest = dict(rest)
        if isinstance(rest.get("markdown"), str):
            rest.pop("wm_renderer", None)
            console.print(_plain(rest.pop("markdown")), markup=False, highlight=False)
        for member, value in list(rest.items()):
            if _is_table(value):
                del rest[member]
                _table(member, value, console)
    elif _is_table(rest):
        _table("", rest, console)
        return
    if rest not in ({}, None):
        text = written(_cut(rest), indent=2)
        console.print(Text(text), highlight=False, soft_wrap=True)


class _Files:
    """What a result holds as bytes or as a drawing, written to files."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.written: list[Path] = []
        self.seen: dict[bytes, Path] = {}

    def without(self, value: object, member: str = "") -> object:
        """The value with the names of files in place of what was written to them."""
        if isinstance(value, list):
            return [self.without(one, member) for one in value]
        if isinstance(value, dict):
            return {name: self.without(one, name) for name, one in value.items()}
        if not isinstance(value, str) or len(value) < 64:
            return value
        if member == "svg" or value.lstrip().startswith("<svg"):
            return f"<{self._write(value.encode(), 'svg')}>"
        if member == "html":
            inner = [data for match in DATA.findall(value) if (data := _bytes(match))]
            places = [self._write(data, _ending(data)) for data in inner]
            return f"<{', '.join(map(str, places))}>" if places else value
        if found := DATA.fullmatch(value):
            value = found[1]
        data = _bytes(value)
        if data is None:
            return html.unescape(value) if member == "html" else value
        return f"<{self._write(data, _ending(data))}>"

    def _write(self, data: bytes, ending: str) -> Path:
        if data in self.seen:
            return self.seen[data]
        number = 0
        while True:
            mark = f"-{number}" if number else ""
            path = self.folder / f"{self.name}{mark}.{ending}"
            try:
                with path.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                number += 1
                continue
            self.seen[data] = path
            self.written.append(path)
            return path


def _bytes(text: str) -> bytes | None:
    """What a text holds as base64: a kind of file that is known, or nothing."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _ending(data) != "bin" else None


def _ending(data: bytes) -> str:
    known = (ending for start, ending in ENDINGS.items() if data.startswith(start))
    if data[4:8] == b"ftyp":
        return "mp4"
    return next(known, "bin")


def _is_table(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, dict) and row for row in value)
    )


def _table(title: str, rows: list[dict], console: Console) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title or None, title_justify="left", show_lines=False)
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for row in rows[:ROWS]:
        table.add_row(*(Text(_cell(row.get(name))) for name in names))
    console.print(table)
    if len(rows) > ROWS:
        console.print(f"{ROWS} of {len(rows)} rows; piped, all are in the output")


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else written(value)
    return text if len(text) <= CELL else f"{text[:CELL]} ..."


def _cut(value: object) -> object:
    """The same with texts and lists of numbers no longer than a person reads."""
    if isinstance(value, dict):
        return {name: _cut(one) for name, one in value.items()}
    if isinstance(value, list):
        if len(value) > ROWS and all(isinstance(one, int | float) for one in value):
            return [*value[:3], f"... {len(value)} numbers"]
        return [_cut(one) for one in value]
    if isinstance(value, str) and len(value) > 20 * CELL:
        return f"{value[: 20 * CELL]} ... ({len(value)} characters; piped, all)"
    return value


def _plain(markdown: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"\1", markdown)


def console() -> Console:
    """The terminal, as wide as it is."""
    return Console(width=shutil.get_terminal_size().columns)
