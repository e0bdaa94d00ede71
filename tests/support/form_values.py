"""What Windmill's form sends: of a field nobody touched, and of one filled in.

As measured with Windmill's own form component. Fields whose `showExpr` is false send
nothing; the expressions are evaluated by the engine that Windmill evaluates them with.
"""

import json

import jsonschema
import quickjs
from hypothesis import strategies as st

from scripts.client.form import SWITCH
from scripts.forms.form_fields import BEHIND, NOTHING, SET
from tools.flows.pack_flows import Flow
from tools.operations import Operation
from tools.schemas.form import form, is_nullable_number
from tools.schemas.form_visibility import hints, kind_of

ABSENT = object()

_engine = quickjs.Context()


def untouched(field: dict, required: bool = False) -> object:
    """What the form sends for a field that nobody touched; ABSENT: it sends no key."""
    if field.get("default") is not None:
        value = field["default"]
        if field["type"] == "array" and "properties" in field["items"]:
            members = field["items"]["properties"]
            return [filled(members, _needed(members), row) for row in value]
        return value
    if "oneOf" in field:
        return chosen(field["oneOf"][0], {})
    kind = field.get("type")
    if kind == "string" and "enum" in field:
        return field["enum"][0] if required else ABSENT
    if kind == "string":
        silent = field.get("nullable") or "contentEncoding" in field
        return ABSENT if silent or field.get("format") == "date-time" else ""
    if kind == "boolean":
        return False
    if kind == "array" and "items" in field:
        return ABSENT if field.get("nullable") else []
    if kind == "object" and field.get("properties"):
        return filled(field["properties"], field.get("required", []), {})
    if kind in ("array", "object") and "format" not in field:
        return None  # an editor of JSON
    return [] if field.get("format", "").startswith("dynmulti") else ABSENT


def sent(script: Operation | Flow, arguments: dict) -> dict:
    """What the form of a script or flow sends, save auth, with these filled in."""
    schema = form(script)
    fields = schema["properties"]
    given = {
        name: form_value(script.arguments[name], fields[name], value)
        for name, value in arguments.items()
    }
    return filled(fields, schema["required"], given)


def filled(fields: dict, required: list[str], values: dict) -> dict:
    """What an object of the form sends with some of its fields filled in."""
    sent = {}
    for name, field in fields.items():
        value = values.get(name, ABSENT)
        if value is ABSENT and "showExpr" not in field:
            value = untouched(field, name in required)
        if value is not ABSENT:
            sent[name] = value
    while opened := [n for n in fields.keys() - sent if _opens(fields[n], sent)]:
        for name in opened:
            sent[name] = untouched(fields[name], name in required)
    while hidden := [n for n in sent if not shown(fields[n], sent)]:
        for name in hidden:
            del sent[name]
    return sent


def _opens(field: dict, sent: dict) -> bool:
    """Whether a field that was hidden now shows, and then sends something."""
    if "showExpr" not in field or not shown(field, sent):
        return False
    return untouched(field) is not ABSENT


def chosen(variant: dict, values: dict) -> dict:
    """What a group of buttons sends with one of them pressed."""
    inner = {n: f for n, f in variant["properties"].items() if n != "label"}
    return {**filled(inner, variant["required"], values), "label": variant["title"]}


def _needed(fields: dict) -> list[str]:
    return [name for name, field in fields.items() if field.get("required") == []]


def shown(field: dict, sent: dict) -> bool:
    if "showExpr" not in field:
        return True
    fields = json.dumps(sent, default=str)
    return _engine.eval(
        f"(() => {{ const fields = {fields}; return !!({field['showExpr']}) }})()"
    )


def form_value(schema: dict, field: dict, value: object) -> object:
    """What the form sends when a person fills in just what the wire is to carry."""
    if "oneOf" in field and is_nullable_number(schema):
        title = NOTHING if value is None else "Number"
        return {"label": title, **({} if value is None else {"number": value})}
    if value is None:
        return untouched(field)
    if "oneOf" in field:
        return _button(schema, field, value)
    if "show" in hints(schema):
        title = hints(schema)["show"]
        schema = next(v for v in schema["anyOf"] if v.get("title") == title)
    kind = kind_of(schema)
    if field.get("format") == "date-time":
        return value.replace("Z", ".000Z")
    if field["type"] == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "array" and "items" in field:
        return [_row(schema.get("items", {}), field["items"], v) for v in value]
    if kind == "object" and field.get("properties"):
        return _object(schema, field["properties"], field.get("required", []), value)
    return value


def _object(schema: dict, fields: dict, required: list[str], value: dict) -> dict:
    members = schema["properties"]
    given = {}
    owners = _owners(schema)
    for name, found in value.items():
        if name in owners:
            group, title = owners[name]
            given[group] = _grouped(members[name], fields[group], title, name, found)
        elif not isinstance(hints(members[name]).get("hidden"), dict):
            given[name] = form_value(members[name], fields[name], found)
    if SWITCH in fields:
        given[SWITCH] = any(hints(members[n]).get("advanced") for n in value)
    return filled(fields, required, given)


def _owners(schema: dict) -> dict[str, tuple[str, str]]:
    """The group and the button that stand for a member."""
    return {
        name: (group, title)
        for group, own in hints(schema).get("groups", {}).items()
        for title, name in own["of"].items()
    }


def _grouped(schema: dict, field: dict, title: str, name: str, value: object) -> dict:
    """What a group of buttons sends of which each stands for a member."""
    inner = next(v for v in field["oneOf"] if v["title"] == title)
    fields = {n: f for n, f in inner["properties"].items() if n != "label"}
    if name in fields:
        return chosen(inner, {name: form_value(schema, fields[name], value)})
    if not fields:
        return {"label": title}
    return {**_object(schema, fields, inner["required"], value), "label": title}


WAYS = {
    "file": "Drop a file",
    "s3": "Workspace storage",
    "url": "URL",
    "text": "Text",
    "rows": "Rows",
}


def given_file(value: object) -> dict:
    """A file as the fields behind its button say it."""
    if isinstance(value, list):
        return {"rows": value}
    if isinstance(value, str):
        return {"url" if value.startswith("http") else "file": value}
    if "s3" in value:
        return {"s3": value["s3"] if isinstance(value["s3"], dict) else value}
    return value if value.keys() & WAYS.keys() else given_file(*value.values())


def _button(schema: dict, field: dict, value: object) -> dict:
    """What a group of buttons sends: a file, a union, or an optional object."""
    by_title = {variant["title"]: variant for variant in field["oneOf"]}
    if by_title.keys() & {"Drop a file", "Workspace storage"}:
        given = given_file(value)
        way = next(title for member, title in WAYS.items() if member in given)
        fields = by_title[way]["properties"]
        return chosen(by_title[way], {n: v for n, v in given.items() if n in fields})
    if "anyOf" not in schema:
        if schema.get("format") == "json-schema":
            return {"label": "JSON", "value": value}
        inner = by_title[SET]
        fields = {n: f for n, f in inner["properties"].items() if n != "label"}
        if not fields:
            return {"label": SET}
        return {**_object(schema, fields, inner["required"], value), "label": SET}
    variant = _fitting(schema, value)
    title = variant.get("title") or variant["type"].title()
    inner = by_title[title]
    behind = BEHIND.get(kind_of(variant), "value")
    if kind_of(variant) != "object" and behind in inner["properties"]:
        own = form_value(variant, inner["properties"][behind], value)
        return chosen(inner, {behind: own})
    fields = {n: f for n, f in inner["properties"].items() if n != "label"}
    if not isinstance(value, dict) or not fields:
        return {"label": title}
    kept = {
        n: v
        for n, v in value.items()
        if len(variant["properties"][n].get("enum", ())) != 1
    }
    return {**_object(variant, fields, inner["required"], kept), "label": title}


def _fitting(schema: dict, value: object) -> dict:
    """The variant of a union that knows the most of a value's members."""
    return max(
        (
            variant
            for variant in schema["anyOf"]
            if jsonschema.Draft202012Validator(variant).is_valid(value)
        ),
        key=lambda variant: (
            len(variant.get("properties", {}).keys() & set(value))
            if isinstance(value, dict)
            else 0
        ),
    )


def _row(schema: dict, items: dict, value: object) -> object:
    """One row of a list."""
    fields = items.get("properties")
    if not fields:
        # The rows of a list of whole numbers are lines of text.
        return str(value) if items["type"] in ("string", "integer") else value
    if "source" in fields and "properties" not in schema:
        return {"source": _button(schema, fields["source"], value)}
    if "text" in fields and schema.get("type") == "string":
        return {"text": value}
    if "show" in hints(schema):
        schema = next(
            v for v in schema["anyOf"] if v.get("title") == hints(schema)["show"]
        )
    if "anyOf" in schema:
        schema = _fitting(schema, value)
    groups = _owners(schema)
    given = {}
    for name, found in value.items():
        member = schema["properties"][name]
        if name in groups:
            group, title = groups[name]
            given[group] = _grouped(member, fields[group], title, name, found)
        elif "beside" in hints(member) and isinstance(found, list):
            given |= _parts(member, fields, found)
        else:
            if "beside" in hints(member):
                member = next(v for v in member["anyOf"] if v.get("type") == "string")
            given[name] = form_value(member, fields[name], found)
    if SWITCH in fields:
        given[SWITCH] = True
    return filled(fields, _needed(fields), given)


def _parts(member: dict, fields: dict, parts: list[dict]) -> dict:
    """A list of parts as a text, pictures and others beside it, in that order."""
    given: dict = {}
    items = next(v for v in member["anyOf"] if v.get("type") == "array")["items"]
    for position, part in enumerate(parts):
        if position == 0 and part["type"] == "text":
            given["content"] = part["text"]
        elif part["type"] == "image_url" and "parts" not in given:
            row = {"type": "string", "x-file": "uri"}
            url = part["image_url"]["url"]
            picture = _row(row, fields["pictures"]["items"], url)
            given.setdefault("pictures", []).append(picture)
        else:
            own = _row(items, fields["parts"]["items"], part)
            given.setdefault("parts", []).append(own)
    return given


# --- what a person may fill in ----------------------------------------------------


def fillable(schema: dict) -> st.SearchStrategy:
    """Anything that a person can fill in: nothing blank, nothing without a field."""
    if "show" in hints(schema):
        title = hints(schema)["show"]
        return fillable(next(v for v in schema["anyOf"] if v.get("title") == title))
    if "x-file" in schema or schema.get("format") == "binary":
        ways = hints(schema).get("give", ("url", "file"))
        given = {"url": "https://example.com/a.png", "file": "aGk="}
        return st.sampled_from([value for way, value in given.items() if way in ways])
    if "anyOf" in schema:
        told = [v for v in schema["anyOf"] if v.get("type") != "null"]
        return st.one_of(*(fillable(_told(variant)) for variant in told))
    if "enum" in schema:
        return st.sampled_from([v for v in schema["enum"] if v is not None])
    kind = kind_of(schema)
    if hints(schema).get("bare"):
        return st.just({})
    if kind == "object" and schema.get("properties"):
        return _fillable_object(schema)
    if kind == "object":
        values = schema.get("additionalProperties", {"type": "integer"})
        return st.dictionaries(st.just("a"), fillable(values), min_size=1)
    if kind == "array":
        least = max(1, schema.get("minItems", 1))
        rows = fillable(schema.get("items", {}))
        return st.lists(rows, min_size=least, max_size=least + 1, unique_by=json.dumps)
    if kind == "boolean":
        # A switch at rest is sent anyway.
        return st.just(True) if schema.get("default") is False else st.booleans()
    if kind in ("integer", "number"):
        least = schema.get("minimum", 1)
        return st.integers(int(-(-least // 1)), int(schema.get("maximum", least + 99)))
    if schema.get("format") == "date-time":
        return st.just("2026-01-02T03:04:05Z")
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    least = max(1, schema.get("minLength", 1))
    return st.text("xyz ", min_size=least, max_size=schema.get("maxLength", least + 9))


def _told(variant: dict) -> dict:
    """A variant whose constants are there, as the form's buttons give them."""
    members = variant.get("properties", {})
    constant = [n for n, m in members.items() if len(m.get("enum", ())) == 1]
    required = {*variant.get("required", ()), *constant}
    return {**variant, "required": sorted(required)} if constant else variant


def _fillable_object(schema: dict) -> st.SearchStrategy:
    members = {
        name: member
        for name, member in schema["properties"].items()
        if hints(member).get("hidden") is not True
    }
    if "x-operation" in schema or "x-step" in schema:
        # A switch at the top is on or off; off is not sent.
        members = {
            name: {"default": False, **member}
            if kind_of(member) == "boolean"
            else member
            for name, member in members.items()
        }
    always = {
        name: st.just(hints(m)["start"]) if _starts(m) else fillable(m)
        for name, m in members.items()
        if name in schema.get("required", ()) or _starts(m) or "open" in hints(m)
    }
    others = {n: fillable(m) for n, m in members.items() if n not in always}
    drawn = st.fixed_dictionaries(always, optional=others)
    return drawn.map(lambda value: _consistent(schema, members, value)).map(
        lambda value: {
            name: found
            for name, found in value.items()
            if found != {} or name in {*always, *_owners(schema)}
        }
    )


def _starts(schema: dict) -> bool:
    return isinstance(hints(schema).get("start"), str)


def _consistent(schema: dict, members: dict, value: dict) -> dict:
    """Without what the form would not have asked for beside the rest."""
    for own in hints(schema).get("groups", {}).values():
        given = [name for name in own["of"].values() if name in value]
        for name in given[1:]:
            del value[name]
        if not given and own.get("needed"):
            name = next(iter(own["of"].values()))
            value[name] = {} if members[name].get("type") == "object" else "x"
    for name, member in members.items():
        if isinstance(hints(member).get("hidden"), dict):
            ((other, names),) = hints(member)["hidden"].items()
            value[name] = names[_fitting(members[other], value[other])["title"]]
    while hidden := [n for n in value if not _asked(members, n, value)]:
        for name in hidden:
            del value[name]
    return value


def _asked(members: dict, name: str, value: dict) -> bool:
    for other, values in hints(members[name]).get("when", {}).items():
        found = value.get(other)
        if "anyOf" in members[other] and found is not None:
            found = _fitting(members[other], found).get("title")
        if values is not True and found not in values:
            return False
        if values is True and found is None:
            return False
    return True
