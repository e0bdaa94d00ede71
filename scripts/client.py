"""Send one operation to the Together API and bring its answer back to Windmill.

Every script of the pack runs one of four verbs, one for each shape of exchange:

    call      JSON in, JSON out
    stream    the same, or server-sent events shown live, when body.stream is true
    upload    multipart/form-data in, JSON out
    download  JSON or nothing in, bytes out

Each takes the resource, the script's OPERATION table and the arguments of main, turns
what Windmill's form sent into what the user filled in, checks it, sends it with the
retries that the operation can bear, and returns plain JSON. Whatever goes wrong is a
TogetherError.

OPERATION is rendered from the operation's schema: method, path, retry (read, inference,
creates or mutates), and, where they differ from the usual, host, reply, stream,
filename and find; its `arguments` are the part of the schema that is needed to check
them.
"""

import gc

# Nothing here makes cycles that matter to a job of one call: not tracing the imports,
# neither now nor when the process ends, saves a tenth of a cold step.
_collecting = gc.isenabled()
gc.disable()

import json
import os
import re
import ssl
import sys
import time
from typing import NotRequired, TypedDict
from urllib.parse import quote, quote_plus, urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    ProtocolError,
    ReadTimeoutError,
)

from .references import SAFE, Stream, harmless, is_word

gc.freeze()
if _collecting:
    gc.enable()

__all__ = [
    "TogetherError",
    "call",
    "download",
    "operation",
    "prepare",
    "run",
    "stream",
    "togetherai",
    "upload",
]

HOST = "https://api.together.ai"
USER_AGENT = "together-windmill/1"
CONNECT_TIMEOUT = 5.0
MIB = 1 << 20
SEND_TIMEOUT = 60.0  # for the next piece of a large body
# Seconds of silence after which an answer is given up, by retry class: a model may
# think for minutes before the first byte of an answer that is not streamed.
READ_TIMEOUT = {"read": 60.0, "inference": 600.0, "creates": 120.0, "mutates": 120.0}
# Seconds after which an answer must be whole, however it drips.
MOST_SECONDS = {"read": 300.0, "inference": 3600.0, "creates": 600.0, "mutates": 600.0}
MOST_ANSWER_BYTES = 64 * MIB  # of an answer that is held in memory, decompressed
MOST_ERROR_BYTES = 64 * 1024  # of an error; the rest of it is not read
MOST_EVENT_BYTES = 16 * MIB  # of one server-sent event
LAST_EVENTS = 5.0  # seconds for what may follow the last text of a stream
END_OF_BODY = 0.2  # seconds for the end of a body whose content is complete
MAX_TRIES = 4
LIMIT = 1_900_000  # bytes that a result in Windmill can hold
DEADLINE = 900.0  # no new try starts after this many seconds
# What the form says beside what the user fills in; tools/form.py makes it.
LEAVE = "Default"  # the first choice of what is optional: send nothing
SET = "Set"  # the other choice of an optional object: send what is filled in
NOTHING = "None"  # of a number that may be null: send null
EDITOR = "Editor"  # of a JSON Schema: made with Windmill's editor, which adds words
OTHER = "other"  # the choice of a model by its id, where a list of models is offered
SWITCH = "more_options"  # the switch that shows an object's advanced fields


class togetherai(TypedDict):
    """The Windmill resource that holds the API key, and an optional base URL."""

    api_key: str
    base_url: NotRequired[str]


class TogetherError(Exception):
    """The one exception of the pack.

    Its attributes are plain JSON, which Windmill shows under the error and a flow's
    error handler finds in `error.extra`:

        status       HTTP status, or None when no answer came
        type, code, param   the server's classification, where it gives one
        file_id      the file that a refused or broken upload is about
        detail       the server's own words
        request_id   what to quote to Together's support
        retry_after  seconds after which another try makes sense
        ambiguous    True when the request may have been carried out unseen
        advice       what to do next
        method, path the operation
        tries        how many requests were sent
        problems     rejected input, as [{"field": ..., "problem": ...}]
        partial      what had arrived of a stream that broke
        idempotency_key  the key that a rerun may use again without repeating the work
    """

    def __init__(self, message, **facts):
        super().__init__(harmless(message)[0])
        for name, value in facts.items():
            if value is not None:
                setattr(self, name, value)

    def __setattr__(self, name, value):
        # A flow hands them to its error handler, where Windmill would resolve them.
        super().__setattr__(name, harmless(value)[0])

    @classmethod
    def refused(cls, field, problem, **facts):
        """Return the error for one argument for which nothing was sent."""
        facts.setdefault("advice", "Correct the field named and run the step again.")
        return cls.refused_all([{"field": field, "problem": problem}], **facts)

    @classmethod
    def refused_all(cls, problems, listed=None, **facts):
        """Return the error for all that is wrong with the arguments, so that nothing
        was sent; `listed` is how the message tells it."""
        if listed is None:
            listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems)
        facts.setdefault("advice", "Correct the fields named and run the step again.")
        message = f"Nothing was sent: {listed}"
        return cls(message, problems=problems, ambiguous=False, **facts)


def run(function, auth, table, /, **arguments):
    """Return what a verb or a step's function returns for the arguments of main.

    A TogetherError leaves it without the frames of the helper: Windmill shows them
    before the advice, and they help nobody who can act on it. Any other exception is a
    fault of the pack and keeps them. Neither holds what Windmill would resolve in the
    next step, see scripts/references.py; the log, and the result's own note, say how
    many texts were changed.
    """
    try:
        result, count = harmless(function(auth, table, **arguments))
    except TogetherError as error:
        raise error.with_traceback(None) from None
    if count:
        note = CHANGED.format(count)
        print(f"together: {note}", file=sys.stderr)
        if isinstance(result, dict) and isinstance(result.get("note"), str):
            result["note"] += f" {note}"
    return result


CHANGED = (
    "A space was put behind the $ in {} texts, which Windmill would have taken for "
    "variables or resources in the next step."
)


def call(auth, operation, /, **arguments):
    """Send an operation and return its JSON answer, or None where it has none.

    With the argument max_pages, a list's pages are fetched one after another and joined
    into the last page's answer, so that its cursor leads on. Raises TogetherError; when
    a later page fails, `partial` holds the pages before it.
    """
    request = _request_for(auth, operation, arguments)
    answer = _answer(request, request.send())
    pages = request.arguments.get("max_pages", 1)
    if pages == 1:
        return answer
    from .paging import join_pages

    return join_pages(auth, operation, arguments, answer, pages)


def stream(auth, operation, /, **arguments):
    """Like call or download; with body.stream true, show the answer while it arrives.

    Each piece of text goes to Windmill's result stream; the return value has the shape
    that the same request gives without streaming. Raises TogetherError, with what had
    arrived in its `partial`.
    """
    request = _request_for(auth, operation, arguments)
    if not request.body.get("stream"):
        if operation.get("reply") == "binary":
            from .downloads import receive

            return receive(request)
        return _answer(request, request.send())
    return _streamed(request)


def _streamed(request):
    """Send a request whose answer comes as events; show it, and return it whole."""
    request.headers["Accept-Encoding"] = "identity"
    if request.output is not None:
        from .showing import deliver
    answer = _whole_stream(request)
    if request.output is None or not isinstance(answer.get("file"), str):
        return answer
    import base64

    sound = base64.b64decode(answer["file"])
    return deliver(sound, answer["filename"], request.output, paid=True)


def _whole_stream(request):
    """Send a request for a stream and return the whole answer. Where an error is all
    that came of it, it is tried again as an answer of that status would be."""
    while True:
        gather = _gathering(request.operation["stream"])
        response = request.send(streaming=True)
        kind = response.headers.get("content-type", "")
        pieces = None
        if "event" not in kind and ("json" in kind or "html" in kind):
            reply = _Reply(response, _body(request, response))
            if not reply.data.lstrip().startswith((b"data:", b"event:", b": ")):
                return _answer(request, reply)
            pieces = [reply.data, b"\n\n"]
        answer = _follow(request, response, gather, pieces)
        if not isinstance(answer, _Reply):
            return answer
        request.again(None, answer)


def upload(auth, operation, /, **arguments):
    """Send an operation as multipart/form-data and return its JSON answer.

    A file member takes every shape that scripts/sources.py knows; where the API fetches
    files itself, it gets the URL. Raises TogetherError.
    """
    request = _request_for(auth, operation, arguments)
    if "protocol" in operation:
        from .uploads import upload_file

        return upload_file(request)
    from .bodies import multipart

    data, request.headers["Content-Type"] = multipart(request)
    request.carry(data)
    return _answer(request, request.send())


def download(auth, operation, /, **arguments):
    """Send an operation and return the bytes as its `output` asks for.

    That is {"file": base64, "filename"} for result, {"s3": key, "filename"} for
    storage; see scripts/showing.py. Raises TogetherError.
    """
    from .downloads import receive

    return receive(_request_for(auth, operation, arguments))


def _request_for(auth, operation, arguments):
    """Return the request of a verb, with what its answer needs at hand: what is paid
    for must not depend on modules that cannot be fetched. Raises TogetherError, also
    where there is no storage for bytes that are to go there."""
    request = _Request(auth, operation, arguments, _with_files)
    if request.output == "storage":
        from .storage import check_storage

        check_storage()
    if "brings" in operation:
        from . import fetching, showing  # noqa: F401 (what showing needs later)

        request.deliver = showing.deliver_items
    return request


def _with_files(text, files, auth):
    from .bodies import json_body

    return json_body(text, files, auth)


def prepare(step, arguments):
    """Return a step's arguments as its schema wants them, defaults filled in.

    What is not given, and has no default, is no key of the answer. Raises
    TogetherError, with every mistake in its `problems`.
    """
    members = step["arguments"]["properties"]
    given = checked_arguments(step, _by_id(members, arguments))
    for name, member in members.items():
        if name not in given and "default" in member:
            given[name] = member["default"]
    return given


def _by_id(members, arguments):
    """Return the arguments with each model's id in place of the word that says that it
    is given apart. Raises TogetherError where it is not, or cannot be meant."""
    found = dict(arguments)
    for name, member in members.items():
        picker = member.get("x-id-of")
        if picker is None:
            continue
        typed, chosen = found.pop(name, None), found.get(picker)
        if isinstance(typed, str):
            typed = typed.strip()
        if typed and chosen in (OTHER, "", None):
            found[picker] = typed
        elif chosen == OTHER:
            problem = f"is missing: {picker} says that an id is given here"
            raise TogetherError.refused(name, problem)
        elif typed and typed != chosen:
            problem = f"is {typed!r} and {picker} is {chosen!r}: leave one empty"
            raise TogetherError.refused(name, problem)
    return found


def operation(method, path, retry, query=(), body=True, **exchange):
    """Return the table by which a step of ours calls an operation of the API.

    Its arguments are the path's placeholders, those named in query, and, unless it is a
    GET or takes none, body; they are sent as they are, or as the schema says that body
    may be. What brings bytes has `output` too. `./dev check` compares method, path and
    retry with the schemas.
    """
    properties = {
        name: {"type": "string", "x-in": "path"}
        for name in re.findall(r"{(\w+)}", path)
    }
    if "pages" in exchange:
        properties["max_pages"] = {"type": "integer", "x-in": "pages"}
        query = (*query, "after")
    properties |= {name: {"x-in": "query"} for name in query}
    if "brings" in exchange or exchange.get("reply") == "binary":
        properties["output"] = {"type": "string", "default": "result", "x-in": "result"}
    if body and method != "GET":
        properties["body"] = body if isinstance(body, dict) else {}
    table = {"method": method, "path": path, "retry": retry, **exchange}
    return {**table, "arguments": {"properties": properties}}


# --- the form rule: what a form or a flow gives becomes what it means ---------------
#
# What is absent or null is not given; everything else is meant, empty or not. The form
# keeps to that: its optional texts and lists are nullable, so that one left alone sends
# nothing. What it adds beside the values (buttons, a switch, rows of one field) is
# taken away where the table says that the form has it, and nowhere else.

NOT_GIVEN = object()


def checked_arguments(operation, arguments):
    """Return the arguments as they are meant, without those that are not given.

    Raises TogetherError with every mistake found.
    """
    schema = operation["arguments"]
    members, required = schema["properties"], schema.get("required", ())
    meant, found, pressed = {}, [], {}
    for name, value in arguments.items():
        value = normalise(value, members[name], name, name in required, pressed)
        if value is not NOT_GIVEN:
            meant[name] = value
            found += schema_problems(value, members[name], name, pressed)
        elif name in required:
            found.append(problem(name, "is required"))
    found += [problem(n, "is required") for n in required if n not in arguments]
    if found:
        raise TogetherError.refused_all(
            found, method=operation.get("method"), path=operation.get("path")
        )
    return meant


def normalise(value, schema, field, required=False, pressed=None):
    """Return what a value means: without what only the form needs, with numbers that
    came as text, and without the members that are not given. NOT_GIVEN for nothing.

    A required text or list that is empty counts as not given, save where the schema
    says by `minLength` or `minItems` 0 that the service takes it. `pressed` gets each
    object for which a button was pressed, with its variant, by the object's id.
    """
    if "x-choice" in schema and value.__class__ is dict and "label" in value:
        union, (value, schema) = schema, behind_button(value, schema)
        if union is not schema:
            value = normalise(value, schema, field, required, pressed)
            if pressed is not None and value.__class__ is dict:
                pressed[id(value)] = value, schema  # kept, or its id may be another's
            return value
    if value is None:
        return None if allows_null(schema) else NOT_GIVEN
    if required and (value == "" or value == []) and not may_be_empty(schema):
        return NOT_GIVEN
    if value is NOT_GIVEN:
        return value
    if takes_file(schema):
        return file_value(value, schema, field)
    if "anyOf" in schema:
        return normalise_union(value, schema, field, pressed)
    kind = kind_of(schema)
    if kind == "object" and value.__class__ is dict:
        return normalise_object(value, schema, field, pressed)
    if kind == "array" and value.__class__ is list and "items" in schema:
        return normalise_list(value, schema, field, pressed)
    if value.__class__ is str and kind in ("integer", "number", "boolean"):
        return read_text(value, kind)
    return value


def normalise_object(value, schema, field, pressed):
    members = schema.get("properties")
    others = schema.get("additionalProperties")
    if not members and others is None:
        return value  # free: what it holds is the user's
    if schema.keys() & {"x-switch", "x-groups", "x-beside", "x-follows"}:
        value = without_form_fields(value, schema)
    required = schema.get("required", ())
    meant = {}
    for name, given in value.items():
        member = (members or {}).get(name, others)
        if member is not None:
            path, needed = f"{field}.{name}", name in required
            given = normalise(given, member, path, needed, pressed)
        if given is not NOT_GIVEN:
            meant[name] = given
    return meant


def normalise_list(value, schema, field, pressed):
    items, row = schema["items"], schema.get("x-row")
    meant = []
    for number, entry in enumerate(value):
        alone = row and entry.__class__ is dict and entry.keys() == {row}
        given = entry[row] if alone else entry
        given = normalise(given, items, f"{field}[{number}]", pressed=pressed)
        if given is not NOT_GIVEN:
            meant.append(given)
        elif not alone:
            meant.append(None)  # refused: without it the others would move up
    return meant if meant or not value else NOT_GIVEN  # rows that nobody filled in


def normalise_union(value, schema, field, pressed):
    """Return a value as the variant has it that it fits best."""
    variants = schema["anyOf"]
    if surely_file(value):
        variants = [one for one in variants if takes_file(one)] or variants
    fitting = [one for one in variants if fit(value, one) < UNFIT]
    if len(fitting) == 1:
        return normalise(value, fitting[0], field, pressed=pressed)
    best = None
    for variant in fitting:
        given = normalise(value, variant, field, pressed=pressed)
        if given is NOT_GIVEN:
            return given
        faults = len(schema_problems(given, variant, field, pressed))
        rank = (faults > 0, fit(value, variant), faults)
        if best is None or rank < best[0]:
            best = rank, given
    return value if best is None else best[1]


def behind_button(value, schema):
    """Return (what is given, its schema) of a group of buttons in a form."""
    label = value["label"]
    inner = {name: given for name, given in value.items() if name != "label"}
    if label == LEAVE:
        return NOT_GIVEN, schema
    if has_file(schema):
        filled = {n: v for n, v in inner.items() if v is not None and v != ""}
        return (filled if filled.keys() - {"filename"} else NOT_GIVEN), schema
    if "anyOf" in schema:
        for variant in schema["anyOf"]:
            if variant.get("title") == label:
                return behind_variant(inner, variant), variant
        return value, schema
    if schema.get("format") == "json-schema":
        given = inner.get("value")
        if label == EDITOR and given.__class__ is dict:
            from .editing import plain_schema

            given = plain_schema(given) if given.get("properties") else {}
        return (NOT_GIVEN if given is None else given), schema
    if kind_of(schema) == "object":
        return (inner if label == SET else value), schema
    return (None if label == NOTHING else behind_variant(inner, schema)), schema


def behind_variant(inner, variant):
    """Return what is given behind the button for one variant of a union."""
    allowed = variant.get("enum", ())
    if kind_of(variant) != "object":
        if len(allowed) == 1:
            return allowed[0]
        given = inner.get(BEHIND.get(kind_of(variant), "value"))
        return NOT_GIVEN if given is None else given
    for name, member in variant.get("properties", {}).items():
        if len(member.get("enum", ())) == 1 and not inner.get(name):
            inner[name] = member["enum"][0]
    return inner


# What the form calls the field behind a button, by the type of what it takes: the same
# name for two types would carry a text over to where a list is expected.
BEHIND = {
    "string": "text",
    "array": "list",
    "integer": "number",
    "number": "number",
    "boolean": "switch",
}


def without_form_fields(value, schema):
    """Return an object of a form as the wire has it: no switch, no groups of buttons,
    parts beside a text in one list with it, and what a choice names named."""
    value = dict(value)
    if "x-switch" in schema:
        value.pop(SWITCH, None)
    for group, names in schema.get("x-groups", {}).items():
        chosen = value.pop(group, None) or {}
        name = names.get(chosen.get("label"))
        if name is None:
            continue
        if schema["properties"][name].get("type") == "object":
            value[name] = {n: v for n, v in chosen.items() if n != "label"}
        else:
            value[name] = chosen.get(name)
    if "x-beside" in schema:
        join_parts(value, schema["x-beside"])
    for name, (other, names) in schema.get("x-follows", {}).items():
        chosen = value.get(other)
        if name not in value and chosen.__class__ is dict:
            value[name] = names.get(chosen.get("label"))
    return value


def join_parts(row, name):
    """Make one list of parts of a message's text and the lists that a form has beside
    it: a part is as the wire has it, a picture is {"source": file}, or the file."""
    pictures, others = row.pop("pictures", None) or [], row.pop("parts", None) or []
    parts = []
    for entry in pictures:
        alone = entry.__class__ is dict and entry.keys() == {"source"}
        given = entry["source"] if alone else entry
        if given.__class__ is dict and "label" in given:
            given, _ = behind_button(given, {"x-file": "uri"})
        if given is not NOT_GIVEN:
            parts.append({"type": "image_url", "image_url": {"url": given}})
    parts += others
    text = row.get(name)
    if parts:
        if text and text.__class__ is not list:
            text = [{"type": "text", "text": text}]
        row[name] = (text or []) + parts


def kind_of(schema):
    """Return the type of a schema, null aside."""
    kinds = schema.get("type")
    if kinds.__class__ is list:
        return next(kind for kind in kinds if kind != "null")
    return kinds


def allows_null(schema):
    kinds = schema.get("type")
    if kinds is None:
        return any(map(allows_null, schema.get("anyOf", ())))
    return kinds == "null" or (kinds.__class__ is list and "null" in kinds)


def may_be_empty(schema):
    """Say whether the service takes an empty text or list where one is required."""
    least = (schema.get("minLength"), schema.get("minItems"))
    return 0 in least or any(map(may_be_empty, schema.get("anyOf", ())))


def read_text(text, kind):
    """Return the number or truth that a text says, else the text: a form sends selects,
    and the rows of a list of whole numbers, as texts."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if re.fullmatch(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*", text):
        try:
            return int(text)
        except ValueError:
            number = float(text)
            if kind == "number" or number.is_integer():
                return number
    return text


class FileValue:
    """A file in a body where JSON has text: what becomes of it, scripts/bodies.py."""

    def __init__(self, value, field, kind):
        self.value, self.field, self.kind = value, field, kind


def takes_file(schema):
    return "x-file" in schema


def has_file(schema):
    return takes_file(schema) or any(map(takes_file, schema.get("anyOf", ())))


def is_carried(schema):
    """Say whether a file stays as it was given until the request is made of it."""
    return schema["x-file"] in ("bytes", "content") or "format" in schema


def surely_file(value):
    """Say whether a value can be nothing but a file."""
    if value.__class__ is dict:
        return any(name in value for name in ("s3", "file", "url", "text", "rows"))
    return not isinstance(value, str | int | float | list | dict)


def file_value(value, schema, field):
    """Return a file, given in any of the shapes that scripts/sources.py knows, as a
    FileValue where the wire has it as text; a text that is already as it should be, and
    what is no file, as it is."""
    if isinstance(value, bool | int | float) or is_carried(schema):
        return value
    kind = schema["x-file"]
    if value.__class__ is str and value[:5] != "s3://":
        known = value[:5] in ("http:", "https", "data:")
        # A data URI that its encoder broke into lines goes the way of a file.
        known = known and not (kind == "uri" and "\n" in value)
        if known if kind == "base64" else not (known or len(value) < 24):
            return FileValue(value, field, kind)
        return value  # an address, base64, or shorter than any file in base64
    return FileValue(value, field, kind)


# --- what is wrong with a value, by its JSON Schema ---------------------------------
#
# The part of draft 2020-12 that schemas for models use: type, enum, const, properties,
# patternProperties, required, additionalProperties, items, prefixItems, sizes, bounds,
# pattern, anyOf, oneOf, allOf, not, and $ref within the schema. Other words are passed
# over. `jsonschema` would do more, but importing it takes longer than a request.

MAX_DEPTH = 100
TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
# How well a value fits a variant: it says so itself, by its type, though it lacks what
# is required, or once read as such a type.
TOLD, TYPED, LACKING, READABLE, UNFIT = range(5)


def schema_problems(value, schema, field, pressed=None):
    """Return [{"field": path, "problem": text}] of what does not fit, [] if all does.

    The schema must be one that `check_schema` of scripts/validation.py lets pass.
    `pressed` is what `normalise` says of the value.
    """
    found = []
    check(value, schema, field, found, (schema, pressed or {}), 0)
    return found


def check(value, schema, field, found, context, depth):
    """Add to found what does not fit; context is (where a $ref begins, pressed)."""
    if depth > MAX_DEPTH:
        found.append(problem(field, "is nested too deeply"))
        return
    if schema.__class__ is bool:
        if not schema:
            found.append(problem(field, "must not be there"))
        return
    if "$ref" in schema:
        check(value, ref_target(schema, context[0]), field, found, context, depth + 1)
    if takes_file(schema):
        check_file(value, schema, field, found)
        return
    kinds = schema.get("type")
    if kinds is not None:
        kinds = kinds if kinds.__class__ is list else [kinds]
        if not any(is_kind(value, kind) for kind in kinds):
            wanted = " or ".join(TYPES[kind] for kind in kinds)
            found.append(mistyped(field, value, wanted))
            return
    for allowed in allowed_values(schema):
        if not any(same(value, one) for one in allowed):
            found.append(not_allowed(field, value, allowed))
            break
    if value.__class__ is str:
        check_text(value, schema, field, found)
    elif isinstance(value, int | float) and value.__class__ is not bool:
        check_number(value, schema, field, found)
    elif value.__class__ is list:
        check_list(value, schema, field, found, context, depth)
    elif value.__class__ is dict:
        check_object(value, schema, field, found, context, depth)
    for word, combined in COMBINED.items():
        if word in schema:
            combined(value, schema[word], field, found, context, depth)


def check_file(value, schema, field, found):
    if value.__class__ is FileValue:
        value = value.value
    no_file = value is None or isinstance(value, bool | int | float)
    if no_file or (value == "" and is_carried(schema)):
        found.append(mistyped(field, value, "a file"))
    elif value.__class__ is str and not is_carried(schema):
        check_text(value, schema, field, found)


def allowed_values(schema):
    if "const" in schema:
        yield [schema["const"]]
    if "enum" in schema:
        yield schema["enum"]


def check_text(value, schema, field, found):
    check_size(len(value), schema, "Length", "characters", field, found)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(problem(field, f"must match {schema['pattern']}"))


def check_number(value, schema, field, found):
    for name, fits, words in BOUNDS:
        bound = schema.get(name)
        if bound is not None and not fits(value, bound):
            found.append(problem(field, f"must be {words} {bound} (got {value})"))


def is_multiple(value, of):
    if of == 0:
        return True
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    if value - value != 0:
        return False  # infinite, or no number
    from fractions import Fraction  # of the decimals: 0.3 is a multiple of 0.1

    return (Fraction(str(value)) / Fraction(str(of))).denominator == 1


BOUNDS = (
    ("minimum", lambda value, bound: value >= bound, "at least"),
    ("maximum", lambda value, bound: value <= bound, "at most"),
    ("exclusiveMinimum", lambda value, bound: value > bound, "more than"),
    ("exclusiveMaximum", lambda value, bound: value < bound, "less than"),
    ("multipleOf", is_multiple, "a multiple of"),
)


def check_list(value, schema, field, found, context, depth):
    check_size(len(value), schema, "Items", "entries", field, found)
    first = schema.get("prefixItems", [])
    rest = schema.get("items", True)
    for number, item in enumerate(value if first or rest is not True else ()):
        part = first[number] if number < len(first) else rest
        check(item, part, f"{field}[{number}]", found, context, depth + 1)
    if schema.get("uniqueItems") is True:
        for number, item in enumerate(value):
            if any(same(item, other) for other in value[:number]):
                found.append(problem(f"{field}[{number}]", "is there twice"))
                break


def check_object(value, schema, field, found, context, depth):
    check_size(len(value), schema, "Properties", "members", field, found)
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            found.append(problem(f"{field}.{name}", "is required"))
    patterns = schema.get("patternProperties", {})
    others = schema.get("additionalProperties", True)
    for name, member in value.items():
        parts = [known[name]] if name in known else []
        parts += [part for key, part in patterns.items() if re.search(key, name)]
        for part in parts or [others]:
            if part is not True:
                check(member, part, f"{field}.{name}", found, context, depth + 1)


def check_any(value, variants, field, found, context, depth):
    _, pressed = context
    if id(value) in pressed:
        _, variant = pressed[id(value)]
        check(value, variant, field, found, context, depth + 1)
        return
    nearest = None
    for variant in variants:
        faults = []
        check(value, variant, field, faults, context, depth + 1)
        if not faults:
            return
        rank = (fit(value, variant), len(faults))
        if nearest is None or rank < nearest[0]:
            nearest = rank, faults
    if nearest is None:
        return
    (fitting, _), faults = nearest
    if fitting < UNFIT:
        found.extend(faults)
        return
    told_by = discriminator(variants)
    if value.__class__ is dict and told_by:
        name, allowed = told_by
        if value.get(name) is not None:
            found.append(not_allowed(f"{field}.{name}", value[name], allowed))
        else:
            found.append(problem(f"{field}.{name}", "is required"))
        return
    found.append(mistyped(field, value, " or ".join(map(noun, variants))))


def check_one(value, variants, field, found, context, depth):
    tried = []
    for variant in variants:
        faults = []
        check(value, variant, field, faults, context, depth + 1)
        tried.append(faults)
    fitting = sum(not faults for faults in tried)
    if not fitting:
        unfit = [problem(field, "must not be there")]
        found.extend(min(tried, key=len, default=unfit))
    elif fitting > 1:
        found.append(problem(field, "fits several of the variants of oneOf"))


def check_all(value, variants, field, found, context, depth):
    for variant in variants:
        check(value, variant, field, found, context, depth + 1)


def check_not(value, variant, field, found, context, depth):
    faults = []
    check(value, variant, field, faults, context, depth + 1)
    if not faults:
        found.append(problem(field, "must not be such a value"))


COMBINED = {
    "allOf": check_all,
    "anyOf": check_any,
    "oneOf": check_one,
    "not": check_not,
}


def check_size(size, schema, name, unit, field, found):
    least, most = schema.get(f"min{name}"), schema.get(f"max{name}")
    if least is not None and size < least:
        words = f"needs at least {least} {unit} (got {size})"
        if least == 1:
            words = "must not be empty"
        found.append(problem(field, words))
    if most is not None and size > most:
        found.append(problem(field, f"takes at most {most} {unit} (got {size})"))


def fit(value, schema):
    """Say how well a value fits a variant, by its type and its constants."""
    if schema.__class__ is bool or "type" not in schema:
        return TYPED
    kinds = schema["type"]
    kinds = kinds if kinds.__class__ is list else [kinds]
    if value.__class__ is dict and "object" in kinds:
        for name, member in schema.get("properties", {}).items():
            if value.get(name) is not None and is_constant(member):
                return TOLD if value[name] in member["enum"] else UNFIT
        if any(value.get(name) is None for name in schema.get("required", ())):
            return LACKING
    if takes_file(schema) and surely_file(value):
        return TYPED
    if any(is_kind(value, kind) for kind in kinds):
        return TYPED
    if value.__class__ is str and read_text(value, kind_of(schema)) is not value:
        return READABLE
    return UNFIT


def is_constant(schema):
    return schema.__class__ is dict and len(schema.get("enum", ())) == 1


def discriminator(variants):
    """Return (name, values) of the member that tells all variants apart, or None."""
    members = [v.get("properties", {}) if v.__class__ is dict else {} for v in variants]
    for name in members[0]:
        if all(is_constant(own.get(name)) for own in members):
            return name, [own[name]["enum"][0] for own in members]
    return None


def noun(variant):
    if variant.__class__ is bool or "type" not in variant:
        return "something else"
    return variant.get("title") or TYPES[kind_of(variant)]


def is_kind(value, kind):
    if kind == "boolean" or value.__class__ is bool:
        return kind == "boolean" and value.__class__ is bool
    if kind == "integer":
        whole = isinstance(value, float) and value.is_integer()
        return whole or isinstance(value, int)
    if kind == "null":
        return value is None
    kinds = {"object": dict, "array": list, "string": str, "number": int | float}
    return isinstance(value, kinds[kind])


def same(one, other):
    """JSON's equality: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[n], other[n]) for n in one)
    return one == other


def ref_target(schema, root):
    """Return what a $ref leads to. Raises LookupError or ValueError."""
    head, _, path = schema["$ref"].partition("#")
    if head:
        raise LookupError(head)
    found = root
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        found = found[int(part) if isinstance(found, list) else part]
    if not isinstance(found, dict | bool):
        raise LookupError(path)
    return found


def problem(field, words):
    return {"field": field, "problem": words}


def mistyped(field, value, wanted):
    """Say what a value should be, and what it is: of a long text, which may be a
    secret, only that it is one."""
    names = {dict: "an object", list: "a list", str: "text"}
    is_short = value.__class__ is str and len(value) <= 20
    got = shown(value) if is_short else names.get(value.__class__, shown(value))
    return problem(field, f"must be {wanted} (got {got})")


def not_allowed(field, value, allowed):
    choices = ", ".join(map(shown, allowed))
    return problem(field, f"must be one of {choices} (got {shown(value)})")


def shown(value):
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- the request -------------------------------------------------------------------


class _Request:
    """One operation with its arguments: where it goes, what it says, how often.

    with_files is what makes a Body of JSON that holds files, see _encode.
    """

    def __init__(self, auth, operation, arguments, with_files=None):
        self.operation = operation
        self.method = operation["method"]
        self.tries = 0
        self.began = time.monotonic()
        self.auth = auth
        self.key, self.base = _credentials(auth, operation.get("host", HOST))
        arguments = checked_arguments(operation, arguments)
        self.idempotency_key = None
        self.headers = {
            "Authorization": f"Bearer {self.key}",
            "Accept": operation.get("accept", "application/json"),
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": USER_AGENT,
        }
        path, query = operation["path"], []
        properties = operation["arguments"]["properties"]
        if "{project_id}" in path and "project_id" not in arguments:
            arguments["project_id"] = _project(auth, self.key, self.base)
        for name, value in arguments.items():
            place = properties[name].get("x-in")
            wire = properties[name].get("x-wire", name)
            if place == "path":
                path = path.replace("{" + name + "}", _segment(name, value))
            elif place == "query":
                query += _query(wire, value)
            elif place == "header":
                self.headers[wire] = _header(name, value)
        if "idempotency_key" in properties:
            self.idempotency_key = self.headers.setdefault(
                "Idempotency-Key", os.urandom(16).hex()
            )
        self.arguments = arguments
        self.output = None  # where bytes go, in operations that bring some
        choice = properties.get("output")
        if choice and choice.get("x-in") == "result":
            self.output = arguments.get("output", choice["default"])
        self.deliver = None  # what puts the bytes of the answer there
        self.target = path + ("?" + "&".join(query) if query else "")
        self.body = arguments.get("body", {})
        self.data = None
        if "body" in properties and operation.get("content") != "multipart":
            self.headers["Content-Type"] = "application/json"
            self.carry(_encode(self.body, auth, with_files))

    def carry(self, data):
        """Send bytes, or a Body of scripts/bodies.py, with the request."""
        self.data = data
        if not isinstance(data, bytes):
            self.headers["Content-Length"] = str(data.length)

    def send(self, streaming=False):
        """Send until answered or hopeless; return the answer, which is a success.

        With streaming, the urllib3 response with its body unread; else a _Reply.
        """
        retry = self.operation["retry"]
        # urllib3 holds each send to the time of a connection, too.
        large = self.data and (self.data.__class__ is not bytes or len(self.data) > MIB)
        connect = SEND_TIMEOUT if large else CONNECT_TIMEOUT
        timeout = urllib3.Timeout(connect=connect, read=READ_TIMEOUT[retry])
        most = time.monotonic() + MOST_SECONDS[retry]
        while True:
            self.tries += 1
            response = data = fault = None
            try:
                response = _exchange(
                    self.method,
                    self.base + self.target,
                    self.data,
                    self.headers,
                    timeout,
                )
                if not streaming or response.status >= 300:
                    data = _whole_body(response, most)
            except (HTTPError, OSError) as error:
                fault = error
            if fault is None and response.status < 300:
                return response if streaming else _Reply(response, data)
            reply = None if fault else _Reply(response, data)
            if reply and self.redirects(reply):
                return reply
            self.again(fault, reply)

    def again(self, fault, reply):
        """Wait until another try makes sense. Raises TogetherError where none does."""
        from .failures import pause

        wait = pause(self, self.operation["retry"], fault, reply)
        if wait is None or time.monotonic() - self.began + wait > DEADLINE:
            raise self.failure(fault, reply) from None
        time.sleep(wait)

    def redirects(self, reply):
        wanted = self.operation.get("reply") in ("binary", "redirect")
        return wanted and 301 <= reply.status <= 308 and "location" in reply.headers

    def failure(self, fault, reply, **facts):
        """Return the TogetherError for an exchange that failed."""
        from .failures import failure

        return failure(self, fault, reply, **facts)


def _credentials(auth, host):
    """Return the key and the base: scheme, host and path before /v1, /v2 or /v3."""
    if not isinstance(auth, dict):
        raise TogetherError(
            "auth must be a togetherai resource: choose one in the form; a flow or "
            "schedule passes its path behind $res and a colon."
        )
    for name in ("api_key", "base_url"):
        if isinstance(auth.get(name), str) and is_word(auth[name]):
            raise TogetherError(
                f"auth.{name} is a reference that Windmill did not resolve: choose the "
                "resource itself, and see that its variable exists and that the one "
                "who runs this may read it. auth.api_key must be the API key."
            )
    key = auth.get("api_key")
    key = key.strip() if isinstance(key, str) else ""
    if not key:
        raise TogetherError(
            "auth.api_key is empty: open the togetherai resource and paste the API key."
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise TogetherError(
            "auth.api_key holds characters that no API key has: paste it again."
        )
    base = auth.get("base_url") or ""
    base = base.strip().rstrip("/") or host if isinstance(base, str) else ""
    if not _is_base(base):
        raise TogetherError(
            "auth.base_url must look like https://host or https://host/v1; leave it "
            "empty for Together's own service."
        )
    return key, re.sub(r"/v[123]$", "", base).rstrip("/")


def _is_base(url):
    try:
        parts = urlsplit(url)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    written = url.isascii() and url.isprintable() and not set(url) & set(" @?#\\")
    # What comes behind the version is an operation's own path.
    whole = not re.search(r"/v[123]/", parts.path)
    return bool(named) and parts.scheme in ("http", "https") and written and whole


def _project(auth, key, base):
    """Return the project that the key belongs to, asked once per process."""
    if (key, base) not in _projects:
        whoami = {
            "method": "GET",
            "path": "/v3/whoami",
            "retry": "read",
            "arguments": {"properties": {}},
        }
        identity = _send_operation({"api_key": key, "base_url": base}, whoami)
        project = (identity.get("project") or {}).get("id")
        if not project:
            problem = "is required: this key belongs to no single project"
            raise TogetherError(
                f"project_id {problem}",
                problems=[{"field": "project_id", "problem": problem}],
                advice="projects/list_projects shows the projects of the organization.",
            )
        _projects[key, base] = project
    return _projects[key, base]


_projects = {}


def _segment(name, value):
    """Percent-encode a path argument, refusing what would change the path."""
    text = str(value)
    if text.strip() in ("", ".", ".."):
        problem = "is required" if not text.strip() else f"must not be {text!r}"
        raise TogetherError.refused(name, problem)
    return quote(text, safe="")


def _query(name, value):
    """Encode a query parameter: lists joined by commas, objects as name[member]."""
    if isinstance(value, dict):
        pairs = [_query(f"{name}[{k}]", v) for k, v in value.items() if v is not None]
        return [pair for found in pairs for pair in found]
    items = value if isinstance(value, list) else [value]
    text = ",".join(i if isinstance(i, str) else json.dumps(i) for i in items)
    return [f"{quote(name, safe='[]')}={quote_plus(text)}"]


def _header(name, value):
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        raise TogetherError.refused(name, "must be printable ASCII")
    return text


def _encode(body, auth=None, with_files=None):
    """Return a body as JSON bytes, or what with_files makes of one that holds files:
    of its JSON text, the files by what stands for them there, and auth.

    NaN and infinities are refused by name.
    """
    marks = {}

    def mark(value):
        if not isinstance(value, FileValue):
            raise TypeError(f"{type(value).__name__} is no JSON")
        text = os.urandom(16).hex()
        marks[text] = value
        return text

    try:
        text = json.dumps(
            body,
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
            default=mark,
        )
        data = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        marks.clear()
        text = json.dumps(body, separators=(",", ":"), default=mark)
        data = text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"is not JSON ({error}); numbers must be finite"
        raise TogetherError.refused("body", problem) from None
    return with_files(text, marks, auth) if marks else data


# --- the wire ----------------------------------------------------------------------

_pools = {}


def _exchange(method, url, data, headers, timeout):
    """Send one request and return urllib3's response, its body unread.

    Nothing is tried again, no redirect is followed. Raises urllib3's HTTPError.
    """
    start = url.index("/", url.index("//") + 2)
    origin, target = url[:start], url[start:]
    pool, extra = _pool(origin)
    if extra is not None:  # a proxy for http wants the whole URL
        target, headers = url, {**headers, **extra}
    try:
        response = pool.urlopen(
            method,
            target,
            body=data,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=timeout,
        )
    except (OverflowError, ValueError) as error:
        raise ProtocolError(f"the answer makes no sense: {error}") from None
    if response.status < 200:
        # An interim answer: the final one would be read as that of the next request.
        _abandon(response)
        raise ProtocolError(f"the answer is {response.status}, an interim one")
    return response


def _pool(origin):
    """Return the connections to a host, kept while the process lives, and headers
    for each request, or None where no proxy for plain http is between."""
    if origin not in _pools:
        settings = {"maxsize": 256, "block": True}
        if origin.startswith("https:"):
            settings["ssl_context"] = _trust()
        found = None
        if _names_proxy():
            from .proxying import pool_by_proxy

            found = pool_by_proxy(origin, settings, _trust)
        if found is None:
            found = urllib3.PoolManager(**settings).connection_from_url(origin), None
        _pools[origin] = found
    return _pools[origin]


def _names_proxy():
    """Say whether the environment names a proxy for any host."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    return any(os.environ[name] for name in os.environ if name.lower() in names)


def _trust():
    """Return the TLS context that all pools share.

    The environment's bundle wins; then the system's directory of certificates, which
    is read one by one as needed and so costs nothing; then requests' own bundle.
    """
    if "context" not in _tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        bundle = next((os.environ[n] for n in names if os.environ.get(n)), None)
        directory = ssl.get_default_verify_paths().capath
        if bundle:
            where = "capath" if os.path.isdir(bundle) else "cafile"
            try:
                context.load_verify_locations(**{where: bundle})
            except OSError as error:  # ssl's own errors are of this kind, too
                name = next(n for n in names if os.environ.get(n))
                raise TogetherError(
                    f"{name} names {bundle}, which holds no certificates that can be "
                    f"read: {error.strerror or error}.",
                    advice=f"Correct {name} in the worker's environment, or unset it.",
                ) from None
        elif directory and any(name.endswith(".0") for name in os.listdir(directory)):
            context.load_verify_locations(capath=directory)
        else:
            import certifi

            context.load_verify_locations(certifi.where())
        _tls["context"] = context
    return _tls["context"]


_tls = {}


# --- the answer --------------------------------------------------------------------


class _Reply:
    """An HTTP answer whose body has been read."""

    def __init__(self, response, data):
        self.status = response.status
        self.reason = response.reason or ""
        self.headers = response.headers
        self.data = data or b""

    def text(self):
        return self.data.decode("utf-8", "replace")


def _body(request, response):
    most = time.monotonic() + MOST_SECONDS[request.operation["retry"]]
    try:
        return _whole_body(response, most)
    except (HTTPError, OSError) as error:
        raise request.failure(error, None) from None


def _whole_body(response, most):
    """Return the body of an answer, decompressed, read by the moment `most`.

    Of an error only the first MOST_ERROR_BYTES. Raises urllib3's HTTPError, a
    _TooLargeError for more than MOST_ANSWER_BYTES.
    """
    error = response.status >= 300
    limit = MOST_ERROR_BYTES if error else MOST_ANSWER_BYTES
    pieces, size = [], 0
    for piece in _pieces(response, most):
        size += len(piece)
        pieces.append(piece)
        if size > limit:
            _abandon(response)
            if error:
                break
            raise _TooLargeError(f"the answer has more than {limit // MIB} MiB")
    response.release_conn()
    return pieces[0][:limit] if len(pieces) == 1 else b"".join(pieces)[:limit]


def _pieces(response, most=None):
    """Yield the bytes of a body as they arrive, until the moment `most`. Raises
    urllib3's HTTPError."""
    try:
        while piece := response.read1(65536):
            yield piece
            if most is not None and time.monotonic() > most:
                _abandon(response)
                raise ReadTimeoutError(None, "", "the answer took too long")
    except (OverflowError, ValueError) as error:  # lengths that none can have
        _abandon(response)
        raise ProtocolError(f"the answer's length makes no sense: {error}") from None


def _abandon(response):
    """Close the connection of an answer that is not read to its end, and give its place
    in the pool back."""
    response.close()
    response.release_conn()


class _TooLargeError(ProtocolError):
    """An answer of more bytes than the helper reads; asking again brings no fewer."""


def _answer(request, reply):
    """Return what a successful reply means: JSON, a file, a place, or nothing."""
    kind = request.operation.get("reply", "json")
    if kind == "redirect" and reply.status >= 300:
        answer = {"location": reply.headers["location"]}
        if "x-together-file-id" in reply.headers:
            answer["file_id"] = reply.headers["x-together-file-id"]
        return _delivered(request, answer)
    if not reply.data and (kind == "none" or reply.status == 204):
        return None
    answer, problem = _loads(reply.data)
    if problem:
        if kind == "none":
            return None
        raise request.failure(None, reply) from None
    if _bears_error(answer, request.operation["retry"]):
        raise request.failure(None, _told(reply.text())) from None
    return _delivered(request, _top(answer))


def _top(answer):
    """Return an answer whose members at the top are none of those by which a result
    tells Windmill what to do with it: they get a _ at their end."""
    if not isinstance(answer, dict):
        return answer
    alone = ALONE if len(answer) == 1 else ()
    told = [n for n in answer if n == "render_all" or n[:3] == "wm_" or n in alone]
    told += [name for name in answer if name.startswith("windmill_")]
    if not told:
        return answer
    print(
        f"together: {', '.join(told)} in the answer would mean something to Windmill "
        "and got a _ at the end",
        file=sys.stderr,
    )
    return {f"{name}_" if name in told else name: answer[name] for name in answer}


# What Windmill shows in a way of its own where it is a result's only member.
ALONE = ("html", "map", "pdf", "file", "png", "svg", "jpeg", "gif", "md", "markdown")
ALONE += ("table-col", "table-row", "table-row-object")


def _send_operation(auth, operation, **arguments):
    """Send an operation and return its JSON answer: one page, and no file in it, which
    is what the helper itself asks for. Raises TogetherError."""
    request = _Request(auth, operation, arguments)
    return _answer(request, request.send())


def _bears_error(answer, retry):
    """Say whether an answer of status 200 is an error all the same.

    The answer of a model has no member `error` that is not null; a thing that was
    created or read may have one, about itself, beside its other members.
    """
    if isinstance(answer, list):
        answer = answer[0] if len(answer) == 1 else None
        return isinstance(answer, dict) and answer.keys() == {"error"}
    if not isinstance(answer, dict):
        return False
    if answer.get("error") and retry == "inference":
        return True
    if answer.get("object") == "error":
        return True
    return bool(answer.get("error")) and answer.keys() <= {"error", *ALONE_WITH_ERROR}


# What stands beside an error and makes no thing of it: a thing has an id.
ALONE_WITH_ERROR = ("message", "detail", "type", "code", "param", "request_id")


def _is_error(chunk):
    """Say whether an object is an error: one that says so, or that has a message and
    nothing of an answer."""
    return bool(
        chunk.get("error")
        or chunk.get("object") == "error"
        or (
            chunk.keys() <= ERROR_MEMBERS
            and isinstance(chunk.get("message") or chunk.get("detail"), str)
        )
    )


ERROR_MEMBERS = frozenset(
    ("message", "detail", "type", "code", "status", "param", "request_id", "object")
)


def _told(data):
    """Return an error that came in an answer of status 200 as a _Reply."""
    from .failures import event_error

    return event_error(data)


def _delivered(request, answer):
    """Return an answer with the bytes that it brings, if any, where they shall go."""
    return request.deliver(request, answer) if request.deliver else answer


def _loads(data):
    """Return (value, problem) of JSON bytes, in a form that Windmill can keep.

    Postgres holds neither NUL nor half a surrogate pair, and JSON no NaN: a character
    becomes U+FFFD and a number its name as text, and the log says how many. A whole
    number beyond 2^53, such as a seed, becomes text, since JavaScript would round it.
    """
    lost = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8-sig", "replace")
        lost.append(error)
    decode = _decode
    if "NaN" in text or "Infinity" in text:
        decode = _decoder(lost).decode
    try:
        value = decode(text)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if text.count("[") + text.count("{") > MOST_NESTING and _is_deep(value):
        return None, f"nested more than {MOST_NESTING} deep"
    if lost or _suspect(text):
        value = _storable(value, lost)
    return value, None


def _is_deep(value):
    """Say whether a value of JSON is nested deeper than Windmill's server reads it."""
    level = [value]
    for _ in range(MOST_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _whole(digits):
    """Return a whole number; as text where JavaScript would round it."""
    if len(digits) < 16:
        return int(digits)
    # Longer ones than any that JavaScript keeps may be too long for Python, too.
    number = int(digits) if len(digits) < 20 else SAFE + 1
    return number if -SAFE <= number <= SAFE else digits


MOST_NESTING = 100  # serde_json, which reads results in Windmill, stops at 128
_decode = json.JSONDecoder(strict=False, parse_int=_whole).decode


def _decoder(lost):
    """Return a JSON decoder that notes each NaN and Infinity, and keeps its name."""
    return json.JSONDecoder(
        parse_constant=lambda name: lost.append(name) or name,
        parse_int=_whole,
        strict=False,
    )


_HUGE = re.compile(r"[eE]\+?\d{3}")


def _suspect(text):
    """Say whether JSON text may hold what Windmill's database cannot: an escaped NUL
    or half of a pair, or a number beyond all floats."""
    return "\\u" in text or "\x00" in text or _HUGE.search(text) is not None


def _storable(value, lost):
    """Return the value without what Windmill's database cannot hold."""
    lost = list(lost)
    value = _mend(value, lost)
    if lost:
        print(
            f"together: {len(lost)} values that JSON or Windmill's database cannot "
            f"hold (NaN, Infinity, NUL, half a surrogate pair) were replaced",
            file=sys.stderr,
        )
    return value


def _mend(value, lost):
    if isinstance(value, str):
        if not re.search("[\x00\ud800-\udfff]", value):  # seldom asked, so late
            return value
        # Two halves that arrived apart are one character once they meet.
        had = value.count("\ufffd")
        units = value.encode("utf-16-le", "surrogatepass")
        value = units.decode("utf-16-le", "replace").replace("\x00", "\ufffd")
        lost.extend("\ufffd" * (value.count("\ufffd") - had))
        return value
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        lost.append(value)
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [_mend(item, lost) for item in value]
    if isinstance(value, dict):
        return {_mend(k, lost): _mend(v, lost) for k, v in value.items()}
    return value


# --- streams -----------------------------------------------------------------------


def _follow(request, response, gather, pieces=None):
    """Read server-sent events to [DONE], show their text, return the whole answer.

    `pieces` gives the bytes of an answer that was read already. Where an error is all
    that came, it is returned as a _Reply, so that the caller may try again. Raises
    TogetherError, with what had arrived in its `partial`.
    """
    fault, done = None, False
    show = _Show()
    most = time.monotonic() + MOST_SECONDS[request.operation["retry"]]
    events = _Events(pieces or _pieces(response, most))
    try:
        for data, name in events:
            if data[:6].upper() == "[DONE]":
                done = True
                break
            fault = gather.add(data, name)
            if fault:
                break
            if gather.text and not events.waiting:
                show.add(gather.take_text())
            if gather.ended and not gather.expires:
                # Only the use of tokens and [DONE] can follow: no reason to wait long.
                gather.expires = _hurry(response, LAST_EVENTS)
    except (HTTPError, OSError) as error:
        if not (gather.ended and isinstance(error, ReadTimeoutError)):
            fault = error
    if gather.text:
        show.add(gather.take_text())
    show.end()
    _part(response, fault is None)
    if not (done or fault or gather.started):
        bare = _Reply(response, events.rest())
        if bare.data.strip():  # not framed as events at all
            return _answer(request, bare)
    return _concluded(request, gather, done, fault)


def _concluded(request, gather, done, fault):
    """Return the answer of a stream that is over, the _Reply of an error that came in
    its place, or raise TogetherError."""
    if isinstance(fault, _Reply) and not gather.started:
        return fault
    answer = _top(gather.whole(request))
    facts = {"partial": answer} if gather.started else {}
    if fault is None and gather.failed:
        fault = gather.failed
    if isinstance(fault, _Reply):
        raise request.failure(None, fault, **facts) from None
    if fault is None and not gather.started:
        fault = ProtocolError("the stream ended without an answer")
    elif fault is None and not done:
        if gather.ended:
            print("together: the stream ended without [DONE]", file=sys.stderr)
            return answer
        fault = ProtocolError("the stream ended without [DONE]")
    if fault is not None:
        raise request.failure(fault, None, **facts) from None
    return answer


def _hurry(response, seconds):
    """Let no further read of a response wait longer than that; return True."""
    connection = getattr(response, "connection", None)
    sock = connection.sock if connection is not None else None
    if sock is None:
        # Of an answer after which the server closes, only its file has the socket.
        raw = getattr(getattr(response, "_fp", None), "fp", None)
        sock = getattr(getattr(raw, "raw", None), "_sock", None)
    if sock is not None:
        sock.settimeout(seconds)
    return True


def _part(response, whole):
    """Leave the connection: for the next call where the body ends at once, as it does
    behind [DONE]; else closed."""
    try:
        if whole and _hurry(response, END_OF_BODY) and not response.read1(1):
            response.release_conn()
            return
    except (HTTPError, OSError, ValueError):
        pass
    _abandon(response)


class _Events:
    """Iterates over server-sent events, (data, event name or ""), as soon as they are
    whole. An event that the end of the body cuts is none.

    https://html.spec.whatwg.org/multipage/server-sent-events.html: lines end with CR,
    LF or both, several data lines are one value. A field `error`, which some servers
    write and the specification does not know, is an event of that name. `waiting` are
    the whole events that came with the one at hand. Raises _TooLargeError for an event
    of more than MOST_EVENT_BYTES.
    """

    def __init__(self, pieces):
        self.pieces = pieces
        self.waiting = []
        self.held = []  # pieces of the event that is not yet whole
        self.size = 0
        self.after_cr = False

    def __iter__(self):
        for piece in self.pieces:
            if self.after_cr or b"\r" in piece:
                if self.after_cr and piece.startswith(b"\n"):
                    piece = piece[1:]
                self.after_cr = piece.endswith(b"\r")
                piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            end = piece.rfind(b"\n\n") + 2  # 1 for none
            if end == 1:
                seam = self.held and self.held[-1].endswith(b"\n")
                if not (seam and piece.startswith(b"\n")):
                    self.hold(piece)
                    continue
            # Whole events are whole characters, too.
            whole = b"".join((*self.held, piece[:end])) if self.held else piece[:end]
            self.held.clear()
            self.size = 0
            self.hold(piece[end:])
            self.waiting = _data(whole.decode("utf-8", "replace"))
            self.waiting.reverse()
            while self.waiting:
                yield self.waiting.pop()

    def hold(self, piece):
        if piece:
            self.held.append(piece)
            self.size += len(piece)
            if self.size > MOST_EVENT_BYTES:
                limit = MOST_EVENT_BYTES // MIB
                raise _TooLargeError(f"an event has more than {limit} MiB")

    def rest(self):
        """Return what came after the last whole event."""
        return b"".join(self.held)


def _data(text):
    """Return (data, name) of each event in text that holds only whole events; those
    without data are none."""
    found = []
    for block in text.split("\n\n"):
        if block.startswith("data: ") and "\n" not in block:
            found.append((block[6:], ""))
            continue
        name, parts = "", []
        for line in block.lstrip("\ufeff").split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                parts.append(value)
            elif field == "event":
                name = value.strip()
            elif field == "error":
                name = field
                parts.append(value)
        data = "\n".join(parts)
        if data.strip():
            found.append((data, name))
    return found


def _gathering(shape):
    """Return what gathers a stream of that shape: chat, completion or speech."""
    if shape == "chat":
        return _Chat()
    from .gathering import Completion, Speech

    return Completion() if shape == "completion" else Speech()


class _Show:
    """Windmill's result stream: lines on stdout, see wmill.append_to_result_stream."""

    def __init__(self):
        self.half = ""
        self.out = Stream()  # Windmill keeps the stream beside the result: `wm_stream`

    def add(self, text):
        if self.half:
            text, self.half = self.half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self.half, text = text[-1], text[:-1]
        if text:
            if not text.isascii() or "\x00" in text:
                text = _mend(text, [])
            self.write(self.out.add(text))

    def write(self, text):
        if text:
            if "\n" in text:
                text = text.replace("\n", "\\n")
            sys.stdout.write(f"WM_STREAM: {text}\n")
            sys.stdout.flush()

    def end(self):
        if self.half:
            half, self.half = self.half, ""
            self.add(half + "\ufffd")
        self.write(self.out.end())


class _Gather:
    """Collects the chunks of a stream into the answer without streaming.

    started   whether a part of the answer came
    ended     whether every choice that began is whole
    failed    the _Reply of an error within a choice, or None
    """

    object = ""

    def __init__(self):
        self.started = self.expires = False
        self.failed = None
        self.lost = []
        self.decode = _decoder(self.lost).decode
        self.top = {}
        self.choices = {}
        self.open = 0  # choices that began and did not end
        self.text = []

    @property
    def ended(self):
        return self.open == 0 and bool(self.choices)

    def add(self, data, name=""):
        """Take one event; return a _Reply when it reports an error or is no answer."""
        try:
            chunk = self.decode(data)
        except (ValueError, RecursionError):
            chunk = data
        if chunk is None or name == "ping":
            return None
        if not isinstance(chunk, dict):
            return _told(data) if name == "error" else _unknown(data)
        if "choices" not in chunk:
            kind = chunk.get("type")
            if kind == "ping":
                return None
            if name == "error" or kind == "error" or _is_error(chunk):
                return _told(data)
        elif chunk.get("error"):
            return _told(data)
        try:
            self.fold(chunk)
        except (AttributeError, TypeError, ValueError):
            return _unknown(data)  # of other types than the API's
        self.started = True
        return None

    def take_text(self):
        """Return the text that came since the last time."""
        text = "".join(self.text)
        self.text.clear()
        return text

    def fold(self, chunk):
        for choice in chunk.pop("choices", None) or ():
            if choice is not None:
                self.fold_choice(choice, chunk)
        top = self.top
        for name, value in chunk.items():
            if value is not None and (value != "" or name not in top):
                top[name] = value

    def choice(self, found):
        """Return what is known of a choice, by the index that it gives."""
        index = int(found.get("index") or 0)
        if index not in self.choices:
            self.choices[index] = {"logprobs": [], "members": {"index": index}}
            self.open += 1
        return self.choices[index]

    def fold_members(self, choice, found, apart):
        """Take over members of a choice but those that are gathered apart; what is
        empty takes nothing back."""
        members = choice["members"]
        for name, value in found.items():
            if value is None or name in apart or (value == "" and name in members):
                continue
            if name == "finish_reason" and value and not members.get(name):
                self.open -= 1
            members[name] = value
        if found.get("error") or found.get("finish_reason") == "error":
            error = found.get("error") or "the model's answer ended with an error"
            self.failed = _told(json.dumps({"error": error}))

    def fold_logprobs(self, choice, found, text, token_id, top):
        if isinstance(found, dict):
            merged = choice.setdefault("merged", {})
            for name, value in found.items():
                if isinstance(value, list):
                    merged.setdefault(name, []).extend(value)
                elif value is not None:
                    merged[name] = value
        elif found is not None:
            choice["logprobs"].append((text, found, token_id, top))

    def logprobs(self, choice):
        if "merged" in choice:
            return choice["merged"]
        rows = choice["logprobs"]
        whole = {
            "tokens": [row[0] for row in rows],
            "token_logprobs": [row[1] for row in rows],
            "token_ids": [row[2] for row in rows],
        }
        if any(row[3] for row in rows):
            whole["top_logprobs"] = [row[3] for row in rows]
        return whole

    def whole(self, request):
        choices = []
        for index in sorted(self.choices):
            choice = self.choices[index]
            members = {**choice["members"], **self.finish(choice)}
            if choice["logprobs"] or "merged" in choice:
                members["logprobs"] = self.logprobs(choice)
            choices.append(members)
        top = {name: self.top[name] for name in self.top if name != "token"}
        answer = {**top, "object": self.object, "choices": choices}
        return _storable(answer, self.lost)


def _unknown(data):
    """Return what came in place of a chunk as a _Reply."""
    from .failures import event_error

    return event_error(data, 200)


class _Chat(_Gather):
    object = "chat.completion"
    gathered = frozenset(
        ("delta", "message", "index", "logprobs", "top_logprobs", "error")
    )
    texts = frozenset(
        ("content", "reasoning", "reasoning_content", "refusal", "arguments")
    )

    def fold_choice(self, found, chunk):
        choice = self.choice(found)
        # Some servers give the last piece, or all of it, as a message.
        delta = found.get("delta") or found.get("message") or {}
        message = choice.get("message")
        if message is None:
            message = choice["message"] = {"role": "assistant"}
        shown = self.fold_delta(message, delta)
        if shown and choice["members"]["index"] == 0:
            self.text.append(shown)
        logprobs = found.get("logprobs")
        if logprobs is not None:
            top = found.get("top_logprobs")
            token_id = delta.get("token_id")
            self.fold_logprobs(choice, logprobs, shown, token_id, top)
        self.fold_members(choice, found, self.gathered)

    def fold_delta(self, message, delta):
        """Add a piece to what is known of a message; return the text to be shown."""
        shown = ""
        for name, value in delta.items():
            if value is None or name == "token_id":
                continue
            if name == "content":
                if value.__class__ is not str:
                    value = self.content(message, value)
                shown += value
            if name == "tool_calls":
                self.fold_calls(message.setdefault("tool_calls", []), value)
            elif name in self.texts and isinstance(value, str):
                if name in message:
                    message[name].append(value)
                else:
                    message[name] = [value]
            else:
                self.fold_member(message, name, value)
        return shown

    def content(self, message, value):
        """Return the text of content in another form than text: parts of it, thoughts
        among them, or a number."""
        if not isinstance(value, list):
            return json.dumps(value) if isinstance(value, dict) else str(value)
        texts = []
        for part in value:
            if isinstance(part, dict) and "thinking" in str(part.get("type")):
                thought = part.get("thinking") or part.get("text") or ""
                if isinstance(thought, list):  # of parts again
                    thought = self.content(message, thought)
                message.setdefault("reasoning", []).append(str(thought))
            elif isinstance(part, dict):
                texts.append(str(part.get("text") or ""))
            elif part is not None:
                texts.append(str(part))
        return "".join(texts)

    def fold_member(self, message, name, value):
        """Add a member that is no text to be joined: lists grow, objects are merged,
        anything else is replaced, but not by an empty text."""
        known = message.get(name)
        if name in self.texts:
            # A text of another kind is one piece: arguments that are an object.
            text = json.dumps(value) if isinstance(value, dict | list) else str(value)
            message.setdefault(name, []).append(text)
        elif isinstance(value, list) and isinstance(known, list):
            known.extend(value)
        elif name == "audio" and isinstance(value, dict):
            self.fold_audio(message.setdefault("audio", {}), value)
        elif isinstance(value, dict) and isinstance(known, dict | None):
            known = message.setdefault(name, {})
            self.fold_delta(known, value)
        elif value != "" or name not in message:
            message[name] = value

    def fold_audio(self, known, value):
        """Join sound, which comes as base64 of any length, and its transcript."""
        for name, piece in value.items():
            if piece is None:
                continue
            if name == "data":
                import base64

                sound = base64.b64decode(known.get("data", "")) + base64.b64decode(
                    piece
                )
                known["data"] = base64.b64encode(sound).decode()
            elif name == "transcript":
                known["transcript"] = known.get("transcript", "") + piece
            else:
                known[name] = piece

    def fold_calls(self, calls, parts):
        """Add pieces of tool calls. A piece belongs to the call of its index, or of its
        place where it has none, unless it says that another call begins: by an id of
        its own and a name, or after arguments that are whole."""
        for place, part in enumerate(parts):
            if part is None:
                continue
            index = part.get("index")
            index = place if index is None else int(index)
            call = next((c for c in reversed(calls) if c["index"] == index), None)
            if call is None or self.begins(call, part):
                call = {"index": index}
                calls.append(call)
            part = {name: value for name, value in part.items() if name != "index"}
            if call.get("id"):
                part.pop("id", None)  # the first one stays
            self.fold_delta(call, part)

    def begins(self, call, part):
        """Say whether a piece of the same index begins another call."""
        if not part.get("id") or not call.get("id") or part["id"] == call["id"]:
            return False
        function = part.get("function")
        if isinstance(function, dict) and function.get("name"):
            return True
        try:
            self.decode("".join(call.get("function", {}).get("arguments", ())))
        except ValueError:
            return False
        return True

    def finish(self, choice):
        message = self.joined(choice["message"])
        message.setdefault("content", None)
        return {"message": message}

    def joined(self, message):
        whole = {}
        for name, value in message.items():
            if name == "tool_calls":
                calls = sorted(value, key=lambda call: call["index"])
                value = [
                    self.joined({**call, "index": place})
                    for place, call in enumerate(calls)
                ]
            elif name in self.texts:
                value = "".join(value)
            elif isinstance(value, dict):
                value = self.joined(value)
            whole[name] = value
        return whole
