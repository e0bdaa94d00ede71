"""JavaScript expressions of flows, parsed and evaluated by QuickJS as Windmill does.

Windmill wraps an expression in a function that returns it, unless it is made of
statements; reads `results.<id>` ahead of it; and takes `error` from the previous
result. Older servers put `await` before each `results.<id>` instead, which a function
inside the expression cannot have: `problem` finds both.
"""

import json
import re

import quickjs

RESULTS = re.compile(r'results(?:\?)?(?:\.(\w+)|\["(.*?)"\])')
INPUTS = re.compile(r'flow_input(?:\?)?(?:\.(\w+)|\["(.*?)"\])')
NAMES = ("result", "previous_result", "all_iters", "resume", "resumes", "approvers")
MEMORY = 128 << 20
SECONDS = 20
_STATEMENTS = re.compile(
    r"(return\b|const |let |var |if\b ?\(|for\b ?\(|while\b ?\(|switch\b ?\("
    r"|try\b|throw |function |class |async |await )"
)


class ExpressionError(Exception):
    """An expression that does not parse, or that failed."""


def problem(text: str) -> str | None:
    """What is wrong with the form of an expression, or None."""
    awaited = RESULTS.sub(lambda found: f"(await {found[0]})", text)
    try:
        _context().eval(f"(function() {{ {_body(text)} }})")
        _context().eval(f"(async function() {{ {_body(awaited)} }})")
    except quickjs.JSException as error:
        return str(error).splitlines()[0]
    return None


def names(text: str) -> set[str]:
    """The variables of Windmill's that an expression may use, as words in its text."""
    # A member's name stands behind a dot; three of them spread a variable.
    start = r"(?<![\w'\"])(?<!(?<!\.\.)\.)"
    words = set(re.findall(rf"{start}[A-Za-z_]\w*(?![\w:])", text))
    return words & {*NAMES, "results", "flow_input", "error"}


def results_used(text: str) -> set[str]:
    return {a or b for a, b in RESULTS.findall(text)}


def members_used(text: str) -> set[tuple[str, str]]:
    """The members of steps' results that an expression names, as (step id, member)."""
    return set(re.findall(r"\bresults(?:\?)?\.(\w+)\??\.(\w+)\b(?!\()", text))


def inputs_used(text: str) -> set[str]:
    return {a or b for a, b in INPUTS.findall(text)}


def evaluate(text: str, variables: dict[str, object]) -> object:
    """The JSON value of an expression. Raises ExpressionError.

    `variables` are those of the place where it stands; `results` among them, if there
    is one, is a dict by step id, where what is missing is null.
    """
    text = text.strip()
    known = {name: value for name, value in variables.items() if name in text}
    if "results" in known:
        found = known["results"]
        known["results"] = {name: found.get(name) for name in results_used(text)}
    if "error" in text and "previous_result" in variables:
        known["error"] = _error(variables["previous_result"])
    context = _context()
    try:
        for name, value in known.items():
            context.set("__json", json.dumps(value))
            context.eval(f"globalThis.{name} = JSON.parse(__json)")
        code = f"(function() {{ {_body(text)} }})()"
        return json.loads(context.eval(f"JSON.stringify({code} ?? null)"))
    except quickjs.JSException as error:
        raise ExpressionError(f"`{text}`: {str(error).splitlines()[0]}") from None


def member_names(text: str) -> set[str]:
    """The names that the object of an expression has, whatever the variables are; of
    two that it chooses from, those of the one where they are not null.

    Raises ExpressionError.
    """
    text = text.strip()
    context = _context()
    try:
        context.eval(_WHATEVER)
        for name in names(text):
            context.eval(f"globalThis.{name} = whatever")
        code = f"(function() {{ {_body(text)} }})()"
        return set(json.loads(context.eval(f"JSON.stringify(Object.keys({code}))")))
    except quickjs.JSException as error:
        raise ExpressionError(f"`{text}`: {str(error).splitlines()[0]}") from None


# Its members, what it returns and its copies are itself; as a text it is empty.
_WHATEVER = """
globalThis.whatever = new Proxy(() => {}, {
    get: (_, name) => name === Symbol.toPrimitive ? () => "" : whatever,
    apply: () => whatever,
});
"""


def _context() -> quickjs.Context:
    context = quickjs.Context()
    context.set_memory_limit(MEMORY)
    context.set_time_limit(SECONDS)
    return context


def _body(text: str) -> str:
    text = text.strip()
    plain = re.sub(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"|`(\\.|[^`\\])*`", "''", text)
    return text if _STATEMENTS.match(text) or ";" in plain else f"return {text};"


def _error(previous: object) -> object:
    """What `error` is: of a failed step, or of the failed ones among several."""
    if isinstance(previous, dict) and previous.get("error"):
        return previous["error"]
    if isinstance(previous, list):
        errors = [i for i in previous if isinstance(i, dict) and "error" in i]
        if len(errors) == 1:
            return errors[0]["error"]
        return {"name": "MultipleErrors", "errors": previous}
    return {"name": "UnknownError", "message": "No error found"}
