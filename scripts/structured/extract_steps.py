"""A step that reads data out of text and pictures, in a form that is asked for."""

from __future__ import annotations

import json
import math
from urllib.parse import unquote

from ..catalog.model_choice import choose_model
from ..chat_steps import (
    SHOWN,
    ask,
    is_filtered,
    parse_completion,
    refuses,
    user_message,
)
from ..client import TogetherError, prepare
from ..client.job import log
from ..client.jsonio import parse_json, storable
from ..json_schema.checker import (
    check_possible,
    check_schema,
    check_vocabulary,
    filled_in,
    problems,
    schemas_within,
)
from .questions import Questions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Completion, Json, Members, Problem, Schema, Step


TRIES = 2  # the answer, and its correction
MOST_PROBLEMS = 20  # told of an answer
PROBLEM_CHARACTERS = 1000  # of what is told of each
DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"  # not every grammar engine knows the digit class
KINDS: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "pattern": DATE},
    "list": {"type": "array", "items": {"type": "string"}},
}
SYSTEM = (
    "You read data out of the material that the user gives. Reply with JSON that fits "
    "the JSON Schema below, and with nothing else. Invent nothing: what the material "
    "does not say is null where the schema allows it.\n\nJSON Schema:\n"
)
# By these a server's words are known to be about response_format.
FORM_WORDS = "response_format|json.{0,3}(schema|mode|object)|schema|grammar|structured"
MISFIT = (
    "That does not fit the schema:\n{problems}\nReply with the whole JSON, corrected."
)


def extract_structured(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what a model reads out of text and pictures, checked against a schema.

    {"data": the value, "repaired": whether a second answer was needed, "text": what the
    model wrote, "usage", "cost_usd", "model"}. Raises TogetherError: when two answers
    do not fit, with the last one in `partial`, what was wrong with it in `problems`,
    and `usage` and `cost_usd`; where the second question fails, with the first answer
    and its bill, as Questions says.
    """
    given = prepare(step, _read_texts(arguments))
    choose_model(auth, given, "vision" if given.get("pictures") else "structured")
    if not given.get("text", "").strip() and not given.get("pictures"):
        blank = "is blank: give it" if given.get("text") else "is required"
        raise TogetherError.refused("text", f"{blank}, or pictures")
    schema = _schema(given)
    body = _body(given, _sent(schema))
    questions = Questions(auth, given)

    def send(model: str) -> Json:
        body["model"] = model
        return _ask_with_schema(auth, body)

    for count in range(1, TRIES + 1):
        completion = parse_completion(questions.ask(send))
        text = completion["text"]
        data, wrong = _read_json(text, schema)
        if wrong and not text and completion["reasoning"]:
            # Some models that think write all of their answer as thoughts.
            data, wrong = _read_json(completion["reasoning"], schema)
            text = text if wrong else completion["reasoning"]
        if not wrong or completion["cut"] or completion["refusal"]:
            break
        first_problems = _first_problems(wrong)
        listed = "\n".join(f"- {p['field']} {p['problem']}" for p in first_problems)
        log(f"answer {count} does not fit the schema:\n{listed}")
        body["messages"] += [
            {"role": "assistant", "content": text},
            {"role": "user", "content": MISFIT.format(problems=listed)},
        ]
    bill = questions.bill()
    if wrong:
        raise _failure(completion, _first_problems(wrong), count, bill)
    return {"data": data, "repaired": count > 1, "text": text, **bill}


def _body(given: Members, schema: Schema) -> Members:
    """Return the first question, without its model: answer as the schema wants it."""
    system = SYSTEM + json.dumps(schema, ensure_ascii=False)
    if given.get("instructions"):
        system += f"\n\n{given['instructions']}"
    material = user_message(given.get("text"), given.get("pictures"))
    body = {
        "messages": [{"role": "system", "content": system}, material],
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "data", "schema": schema},
        },
    }
    if "max_tokens" in given:
        body["max_tokens"] = given["max_tokens"]
    return body


def _first_problems(wrong: list[Problem]) -> list[Problem]:
    """Return the first problems, and how many more there are: each may repeat much of
    the schema, and a second question pays for all of it."""
    told: list[Problem] = [
        {"field": _beginning(one["field"]), "problem": _beginning(one["problem"])}
        for one in wrong[:MOST_PROBLEMS]
    ]
    if more := len(wrong) - len(told):
        words = f"has {more} more of what does not fit"
        told.append({"field": "answer", "problem": words})
    return told


def _beginning(text: str) -> str:
    if len(text) <= PROBLEM_CHARACTERS:
        return text
    return f"{text[: PROBLEM_CHARACTERS - 3]}..."


def _failure(
    found: Completion, wrong: list[Problem], count: int, facts: Members
) -> TogetherError:
    first = f"{wrong[0]['field']} {wrong[0]['problem']}"
    if found["refusal"]:
        message = f"The model refused: {found['refusal'][:SHOWN]!r}."
        advice = "Ask in other words, or choose another model."
    elif found["cut"]:
        message = "The answer was cut before it was complete."
        advice = "Raise max_tokens, or ask for less at once."
        if is_filtered(found["finish_reason"]):
            advice = "A filter of the service ended it: choose another model."
    elif not found["text"] and found["reasoning"]:
        message = f"The model gave {count} answers that are nothing but reasoning."
        advice = "Choose a model that reasons less, or none that reasons."
    else:
        message = f"No answer of {count} fits the schema: {first}."
        advice = "Make the schema simpler, its descriptions clearer, or choose another "
        advice += "model."
    return TogetherError(
        f"{message} {advice}",
        type="answer_misfit",
        problems=wrong,
        partial=found["text"],
        finish_reason=found["finish_reason"],
        advice=advice,
        may_be_paid=True,  # problems alone would say that nothing was sent
        **facts,
    )


def _ask_with_schema(auth: Auth, body: Members) -> Json:
    """Send the request; without response_format where the model knows none, since the
    schema is in the prompt too."""
    try:
        return ask(auth, body)
    except TogetherError as error:
        if "response_format" not in body or not refuses(error, FORM_WORDS):
            raise
        log(f"the model takes no schema ({error.detail}): the prompt says it instead")
        del body["response_format"]
        return ask(auth, body)


# --- the schema --------------------------------------------------------------------


# Words of JSON Schema that say something of a value; `description` and the like do not,
# nor does `format`, which draft 2020-12 lets no value fail by.
SAYING = frozenset(
    (
        *("type", "properties", "items", "prefixItems", "enum", "const", "$ref"),
        *("anyOf", "oneOf", "allOf", "not", "if", "required", "pattern"),
        *("additionalProperties", "patternProperties", "minimum", "maximum"),
        *("contains", "propertyNames", "dependentRequired", "dependentSchemas"),
    )
)


FIELD = ("name", "type", "description", "required")  # what a field may have


def _read_texts(arguments: Members) -> Members:
    """Return the arguments with a schema that came as JSON text, as models and flows
    hand one over, as what it says, and a field that is only named as a field."""
    schema, fields = arguments.get("schema"), arguments.get("fields")
    changed = {}
    if isinstance(schema, str) and schema.lstrip().startswith("{"):
        read, problem = parse_json(schema.encode("utf-8", "replace"))
        if problem:
            raise TogetherError.refused("schema", f"is {problem}")
        changed["schema"] = read
    if isinstance(fields, list):
        changed["fields"] = [
            {"name": one} if isinstance(one, str) else one for one in fields
        ]
    return {**arguments, **changed}


def _check_sense(schema: Schema) -> None:
    """Refuse what is no schema, such as {"total": "number"}, which allows anything."""
    if SAYING & schema.keys():
        return
    member = next(iter(schema))
    kind = schema[member]
    if not (isinstance(kind, dict) and SAYING & kind.keys()):  # else it is one already
        kind = KINDS.get(kind if isinstance(kind, str) else "", KINDS["string"])
    meant = {"type": "object", "properties": {member: kind}}
    raise TogetherError.refused(
        "schema",
        "says nothing of the data: it has neither type nor properties. For "
        f"one member write {json.dumps(meant)}",
    )


def _bare(schema: Schema) -> Schema:
    """Return a schema without what an API's response_format puts around it."""
    inner = schema
    if schema.get("type") == "json_schema" and isinstance(
        schema.get("json_schema"), dict
    ):
        inner = schema["json_schema"]
    known = inner.keys() <= {"name", "schema", "strict", "description"}
    if known and isinstance(inner.get("schema"), dict):
        return inner["schema"]
    return schema


def _schema(given: Members) -> Schema:
    """Return the JSON Schema asked for. Raises TogetherError, naming the field."""
    schema, fields = filled_in(given.get("schema")), given.get("fields")
    if schema and fields:
        raise TogetherError.refused(
            "schema", "and fields exclude each other: give one of them"
        )
    if schema:
        schema = filled_in(_bare(schema))
    if schema:
        check_schema(schema, "schema")
        check_vocabulary(schema, "schema")
        _check_sense(schema)
        check_possible(schema, "schema")
        return schema
    if not fields:
        raise TogetherError.refused("schema", "is required, or fields")
    properties = {}
    for number, field in enumerate(fields):
        name = field["name"].strip()
        if not name:
            raise TogetherError.refused(f"fields[{number}].name", "is blank")
        others = [one for one in field if one not in FIELD]
        if others:
            known = ", ".join(FIELD)
            problem = f"has {others[0]!r}, which is none of {known}"
            raise TogetherError.refused(f"fields[{number}]", problem)
        if name in properties:
            raise TogetherError.refused(
                f"fields[{number}].name", f"{name!r} is there twice"
            )
        kind = dict(KINDS[field.get("type", "string")])
        if not field.get("required", True):
            kind["type"] = [kind["type"], "null"]
        if field.get("description"):
            kind["description"] = field["description"]
        properties[name] = kind
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# What stays at the root of a schema that is wrapped: its names for schemas, which many
# grammar engines look up nowhere else, and what tells which document it is.
OF_THE_ROOT = ("$schema", "$id", "$defs", "definitions")
WRAPPER: Schema = {
    "type": "object",
    "properties": {"value": True},
    "required": ["value"],
    "additionalProperties": False,
}


def _is_wrapped(schema: Schema) -> bool:
    """Say whether data is to come as {"value": data}: the API wants an object at the
    root of a schema."""
    return schema.get("type") != "object" and "properties" not in schema


def _sent(schema: Schema) -> Schema:
    """Return the schema as it is sent, with an object at its root."""
    if not _is_wrapped(schema):
        return {"type": "object", **schema}
    inner = json.loads(json.dumps(schema))
    # The list is whole before a reference changes: what it leads to is looked up too.
    for _, part in list(schemas_within(inner, "schema")):
        if "$ref" in part:
            part["$ref"] = _ref_in_wrapper(part["$ref"])
    outer = {name: inner.pop(name) for name in OF_THE_ROOT if name in inner}
    return {**WRAPPER, "properties": {"value": inner}, **outer}


def _ref_in_wrapper(ref: str) -> str:
    """Return where a reference leads once the schema is that of the member `value`."""
    path = ref.removeprefix("#")
    first = unquote(path).split("/")[1:2]
    return ref if first and first[0] in OF_THE_ROOT else f"#/properties/value{path}"


# --- the answer --------------------------------------------------------------------


def _read_json(text: str, schema: Schema) -> tuple[Json, list[Problem]]:
    """Return (data, problems) of the JSON in an answer, by the schema asked for."""
    _, _, fenced = text.partition("```")
    fenced = fenced.partition("```")[0].removeprefix("json")
    start, end = text.find("{"), text.rfind("}")
    for part in (text, fenced, text[start : end + 1]):
        if not part:
            continue
        try:
            value = _decode(part)
        except (ValueError, RecursionError):
            continue
        return _checked(value, schema)
    return None, [{"field": "answer", "problem": "is not JSON"}]


def _checked(value: Json, schema: Schema) -> tuple[Json, list[Problem]]:
    """Return (data, problems) of an answer. Its data is checked by the schema as it was
    given, into which the references lead, and not by the one that was sent."""
    field = "answer"
    if _is_wrapped(schema):
        wrong = problems(value, WRAPPER)
        value, field = (None if wrong else value["value"]), "answer.value"
    else:
        wrong = problems(value, {"type": schema.get("type", "object")})
    wrong = wrong or problems(value, schema, field)
    return (value if wrong else storable(value, [])), wrong


def _no_number(name: str) -> Json:
    raise ValueError(name)


def _number(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


_decode = json.JSONDecoder(
    strict=False, parse_constant=_no_number, parse_float=_number
).decode
