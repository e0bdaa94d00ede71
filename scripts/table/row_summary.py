"""The summary of a table's answers in Markdown, which Windmill shows above them."""

from __future__ import annotations

from ..catalog.pricing import money

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members
    from .row_counts import RowCounts


def summary_lines(
    first_line: str, counts: RowCounts, result: Members, part: Members | None
) -> list[str]:
    """Return the lines of a step's result; part says which part of a table it is of."""
    lines = [f"**{first_line}**", "", f"- {cost_line(result)}"]
    if counts.cut:
        lines.append(f"- Cut before the end, by max_tokens or a filter: {counts.cut}")
    lines += [f"- Row {one['row']}: {_inline(one['error'])}" for one in counts.failures]
    lines += [f"- {_inline(one)}" for one in result.get("lost", ())]
    if part and "answers" in result:
        lines.append(f"- Part {part['number']} of {part['of']}, for the flow to join")
    elif "s3" in result:
        lines.append(f"- The rows: {_inline(result['s3'])} in the workspace's storage")
    else:
        lines.append("- The rows: `rows` of this result")
    if "note" in result:
        lines.append(f"- {_inline(result['note'])}")
    return lines


def cost_line(result: Members) -> str:
    """Say what a result cost."""
    usd = result["cost_usd"]
    if usd is None:
        return f"Cost: not known, {result['cost_note']}."
    return f"Cost: {money(usd)} USD."


def _inline(text: object) -> str:
    from ..workspace.markup import inline  # only where something is to be told

    return inline(text)
