"""From a script's schema to the form that Windmill shows.

Windmill's dialect differs from JSON Schema: it knows `oneOf` with titled objects only,
`min` and `max` instead of `minimum` and `maximum`, `showExpr`, `order`; rows of a list
may be objects but no unions. This is the one place where the translation is made, with
the help of the `x-form` words that schemas/_operation.json explains; scripts/client/
reads what such a form sends.
"""

from scripts.client.form import SWITCH
from scripts.forms.form_fields import BEHIND, EDITOR, LEAVE, NOTHING, SET
from tools.operations import Operation, has_own_default
from tools.schemas.form_visibility import (
    both,
    closed,
    condition,
    hints,
    kind_of,
    one_of,
    opened,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# The ways to give a file: what the button says, and the one field behind it.
WAYS = {
    "file": ("Drop a file", {"type": "string", "contentEncoding": "base64"}),
    "storage": (
        "Workspace storage",
        {"type": "object", "format": "resource-s3_object"},
    ),
    "url": ("URL", {"type": "string", "placeholder": "https://"}),
    "text": ("Text", {"type": "string", "minRows": 6}),
    "rows": (
        "Rows",
        {"type": "array", "description": 'A list of objects, as JSON: [{"a": 1}].'},
    ),
}
MEMBERS = {"storage": "s3"}  # where the member is not called as the way is
FILENAME = {
    "type": "string",
    "title": "Its name",
    "description": "Name of the file with its ending, where it matters.",
}


def form(operation: Operation) -> dict:
    """The `schema` of <name>.script.yaml, in the state to which the official CLI would
    rewrite it: sorted keys, `default: null` where main gives none."""
    properties = {
        "auth": {
            "type": "object",
            "format": "resource-togetherai",
            "description": "The resource that holds the API key.",
        }
    }
    for name, schema in operation.arguments.items():
        properties[name] = argument(operation, name, schema)
    for name, schema in operation.arguments.items():
        shown = condition(schema, operation.arguments)
        if shown:
            properties[name]["showExpr"] = shown
    for name, field in properties.items():
        field["default"] = None
        member = operation.arguments.get(name, {})
        if name != "auth" and has_own_default(operation, member):
            field["default"] = member.get("default")
        properties[name] = dict(sorted(field.items()))
    return {
        "$schema": DIALECT,
        "type": "object",
        "order": list(properties),
        "properties": properties,
        "required": ["auth", *operation.required],
    }


def argument(operation: Operation, name: str, schema: dict) -> dict:
    """The field of one of main's arguments, whose own type Windmill reads from the
    script's text."""
    required = name in operation.required
    if name == "body":
        return {"type": "object", **texts(schema), **members(schema)}
    if operation.step is not None and "x-models" in schema:
        picker = "dynmultiselect" if schema.get("type") == "array" else "dynselect"
        return {"type": "object", "format": f"{picker}-{name}", **texts(schema)}
    if schema.get("type") == "boolean" and is_switch(operation, schema):
        return {"type": "boolean", **texts(schema)}
    found = field(name, schema, required)
    if found["type"] == "string":
        # Without this note, the choices of a select would be lost.
        found["originalType"] = "string"
    elif found["type"] == "array" and "items" in found:
        kinds = {"string": "string[]", "object": "record[]"}
        if found["items"]["type"] in kinds:
            found["originalType"] = kinds[found["items"]["type"]]
        elif found["items"]["type"] in ("integer", "number"):
            found |= {"items": {"type": "number"}, "originalType": "number[]"}
    return found


def is_switch(operation: Operation, schema: dict) -> bool:
    """Whether a truth among main's arguments is a switch: where it rests is known, and
    what it sends there says nothing new."""
    return has_own_default(operation, schema) or schema.get("default") is False


def texts(schema: dict) -> dict:
    """Title and description."""
    return {key: schema[key] for key in ("title", "description") if key in schema}


def is_file(schema: dict) -> bool:
    """Whether a file is to be given."""
    return (
        schema.get("format") == "binary"
        or "x-file" in schema
        or any(map(is_file, schema.get("anyOf", ())))
    )


def field(name: str, schema: dict, required: bool) -> dict:
    """The form's field for a schema."""
    if is_file(schema):
        return file(schema, required)
    if "anyOf" in schema:
        if "show" in hints(schema):
            chosen = _titled(schema, hints(schema)["show"])
            return field(name, {**chosen, **texts(schema)}, required)
        values = closed(schema)
        return _select(schema, values) if values else _choice(name, schema, required)
    if is_nullable_number(schema):
        return _number_or_null(schema, required)
    kind = kind_of(schema)
    if kind == "string" or (kind is None and "enum" in schema):
        return {"type": "string", **texts(schema), **_text(schema, required)}
    if kind == "boolean":
        return {**texts(schema), **_switch(schema)}
    if kind == "integer" and "enum" in schema:
        return _select(schema, {str(value): str(value) for value in schema["enum"]})
    if kind in ("integer", "number"):
        return {"type": kind, **texts(schema), **_number(schema)}
    if kind == "array":
        return {"type": "array", **texts(schema), **_list(name, schema, required)}
    if schema.get("format") == "json-schema":
        return _json_schema(schema, required)
    if kind == "object":
        return _object(schema, required)
    return {"type": "object", **texts(schema)}


def _titled(schema: dict, title: str) -> dict:
    return next(v for v in schema["anyOf"] if v.get("title") == title)


def _object(schema: dict, required: bool) -> dict:
    found = {"type": "object", **texts(schema)}
    if not is_choice(schema, required):
        return {**found, **members(schema)} if schema.get("properties") else found
    inner = members(schema) if schema.get("properties") else {"properties": {}}
    chosen = variant(SET, inner["properties"], inner.get("required", []))
    return {**found, "oneOf": [variant(LEAVE, {}, []), chosen]}


def is_choice(schema: dict, required: bool) -> bool:
    """Whether the form renders a group of buttons for a schema, behind which a value is
    to be found: what scripts/client/ is told as `x-choice`."""
    if is_file(schema) or is_nullable_number(schema):
        return True
    if "anyOf" in schema:
        if "show" in hints(schema):
            return is_choice(_titled(schema, hints(schema)["show"]), required)
        return closed(schema) is None
    if schema.get("format") == "json-schema":
        return True
    asked = schema.get("properties") or hints(schema).get("bare")
    closed_first = not required and not hints(schema).get("open")
    return bool(kind_of(schema) == "object" and asked and closed_first)


def is_nullable_number(schema: dict) -> bool:
    """Whether null means something of its own beside a number."""
    kinds = schema.get("type")
    return isinstance(kinds, list) and bool({"integer", "number"} & set(kinds))


def _number_or_null(schema: dict, required: bool) -> dict:
    """A number box that was emptied sends null, so null has a button of its own."""
    kind = kind_of(schema)
    number = {"type": kind, "title": "Number", **_number(schema)}
    variants = [] if required else [variant(LEAVE, {}, [])]
    variants += [variant("Number", {BEHIND[kind]: number}, [BEHIND[kind]])]
    variants += [variant(NOTHING, {}, [])]
    return {"type": "object", **texts(schema), "oneOf": variants}


def _json_schema(schema: dict, required: bool) -> dict:
    """Windmill's editor of schemas, whose words are taken away again, or plain JSON.

    Reading a script again, Windmill drops the format of an object at the top, not of a
    field inside it.
    """
    plain = {"type": "object", "title": "Schema"}
    fields = {EDITOR: {**plain, "format": "json-schema"}, "JSON": plain}
    variants = [] if required else [variant(LEAVE, {}, [])]
    variants += [variant(t, {"value": f}, ["value"]) for t, f in fields.items()]
    return {"type": "object", **texts(schema), "oneOf": variants}


def members(schema: dict) -> dict:
    """The fields of an object: what a person fills in first, then a switch that shows
    the others."""
    required = schema.get("required", [])
    found = {}
    rest = {}
    for name, member in _grouped(schema).items():
        if "hidden" in hints(member):
            continue
        own = member.get("field") or field(name, member, name in required)
        if is_file(member) and "file_name" in schema["properties"]:
            own = file(member, name in required, named=True)
        shown = condition(member, schema["properties"])
        if hints(member).get("advanced"):
            rest[name] = own
            shown = both(opened(name, own), shown)
        else:
            found[name] = own
        if shown:
            own["showExpr"] = shown
    if rest:
        found |= {SWITCH: switch(), **rest}
    keys = {"properties": found, "order": list(found)}
    if needed := [name for name in required if name in found]:
        # Never empty: in a list's row, Windmill takes the word itself as a yes.
        keys["required"] = needed
    return keys


def _grouped(schema: dict) -> dict:
    """The members of an object, with a group of buttons in place of those of which only
    one is given."""
    found = {}
    properties = schema.get("properties", {})
    groups = hints(schema).get("groups", {})
    owners = {n: g for g, own in groups.items() for n in own["of"].values()}
    for name, member in properties.items():
        group = owners.get(name)
        if group is None:
            found[name] = member
        elif group not in found:
            own = groups[group]
            found[group] = {"field": _group(own, properties), "x-form": own}
    return found


def _group(group: dict, properties: dict) -> dict:
    variants = [] if group.get("needed") else [variant(LEAVE, {}, [])]
    for title, name in group["of"].items():
        member = properties[name]
        if hints(member).get("bare"):
            variants.append(variant(title, {}, []))
        elif member.get("properties"):
            inner = members(member)
            needed = inner.get("required", [])
            variants.append(variant(title, inner["properties"], needed))
        else:
            variants.append(variant(title, {name: field(name, member, True)}, [name]))
    return {"type": "object", **texts(group), "oneOf": variants}


def switch() -> dict:
    """The switch that shows an object's advanced fields."""
    return {
        "type": "boolean",
        "title": "More options",
        "description": "Shows what is rarely needed.",
        "default": False,
    }


def _text(schema: dict, required: bool) -> dict:
    keys = {}
    own = hints(schema)
    if "enum" in schema:
        keys["enum"] = [value for value in schema["enum"] if value is not None]
        keys["disableCreate"] = True
    elif schema.get("x-suggestions"):
        keys["enum"] = list(schema["x-suggestions"])
    if "enum" in keys and "labels" in own:
        keys["enumLabels"] = dict(own["labels"])
    if "rows" in own:
        keys["minRows"] = own["rows"]
    if schema.get("format") == "password":
        keys["password"] = True
    if "contentEncoding" in schema:
        keys["contentEncoding"] = schema["contentEncoding"]
    if schema.get("format") == "date-time":
        keys["format"] = "date-time"
    if "pattern" in schema:
        keys["pattern"] = schema["pattern"]
        keys["customErrorMessage"] = schema["description"]
    if not required and "enum" not in keys:
        keys["nullable"] = True  # left alone it sends nothing, instead of ""
    if "start" in own:
        keys["default"] = own["start"]
    elif "default" in schema and "enum" not in keys:
        keys["placeholder"] = str(schema["default"])
    return keys


def _switch(schema: dict) -> dict:
    """A switch where off is the service's own; else a choice of three."""
    if schema.get("default") is False:
        return {"type": "boolean", "default": False}
    return _select({}, {"true": "Yes", "false": "No"})


def _select(schema: dict, labels: dict) -> dict:
    keys = {"type": "string", **texts(schema), "enum": list(labels)}
    return {**keys, "enumLabels": labels, "disableCreate": True}


def _number(schema: dict) -> dict:
    # Both bounds together would make a slider that rounds, and that crashes the form
    # when it has no default: the helper checks the upper one.
    keys = {}
    if "minimum" in schema:
        keys["min"] = schema["minimum"]
    elif "maximum" in schema:
        keys["max"] = schema["maximum"]
    if "default" in schema:
        keys["placeholder"] = str(schema["default"])
    return keys


def file(schema: dict, required: bool, named: bool = False) -> dict:
    """The buttons by which a file is given; an untouched one gives none. `named` says
    that a field beside it asks for the file's name."""
    ways = hints(schema).get("give") or ["file", "storage", "url"]
    variants = []
    for way in ways:
        title, own = WAYS[way]
        name = MEMBERS.get(way, way)
        fields = {name: {**own, "title": "File" if way == "file" else title}}
        if way in ("file", "text") and "text" in ways and not named:
            fields["filename"] = dict(FILENAME)
        variants.append(variant(title, fields, [name] if required else []))
    return {"type": "object", **texts(schema), "oneOf": variants}


def _list(name: str, schema: dict, required: bool) -> dict:
    items = _items(name, schema)
    keys = {"items": items}
    if items == {"type": "object"}:
        return {}  # one editor of JSON for all rows, instead of one for each
    if not required:
        keys["nullable"] = True
        if "enum" in items:
            # A select of several breaks the page when it has no value, which is what
            # says that nobody touched it: the values are typed instead.
            keys["items"] = {"type": "string"}
            values = [v["value"] if isinstance(v, dict) else v for v in items["enum"]]
            keys["description"] = (
                f"{schema['description']} One of: {', '.join(values)}."
            )
    elif schema.get("minItems") != 0:
        keys["nonEmpty"] = True
    if "start" in hints(schema):
        keys["default"] = hints(schema)["start"]
    return keys


def _items(name: str, schema: dict) -> dict:
    items = schema.get("items", {})
    if is_file(items):
        # A row cannot be a group of buttons, but may hold one.
        source = file({"title": "File", **items}, True)
        return {"type": "object", "properties": {"source": source}}
    if "show" in hints(items):
        items = _titled(items, hints(items)["show"])
    if "anyOf" in items:
        return _merged(items["anyOf"])
    if items.get("type") == "object" and items.get("properties"):
        return row(members(items))
    if "rows" in hints(items):
        text = {"type": "string", **texts(items), **_text(items, True)}
        return row({"properties": {"text": text}, "required": ["text"]})
    if items.get("type") == "string":
        # Reading a script again, Windmill keeps only the choices of a list's items.
        own = {k: v for k, v in _text(items, True).items() if k != "disableCreate"}
        own.pop("pattern", None)
        own.pop("customErrorMessage", None)
        labels = own.pop("enumLabels", {})
        if labels:
            own["enum"] = [{"value": v, "label": labels[v]} for v in own["enum"]]
        return {"type": "string", **own}
    return {"type": items.get("type", "object")}


def _merged(variants: list[dict]) -> dict:
    """Rows that may be one of several objects, told apart by a member such as `role`.

    They become one object whose other fields show for the values that have them.
    """
    key = row_key(variants)
    if key is None:
        simple = next(
            (v for v in variants if v.get("type") in ("string", "integer")), None
        )
        return {"type": simple["type"]} if simple else {"type": "object"}
    labels = {_value(v, key): v.get("title", _value(v, key)) for v in variants}
    first = variants[0]["properties"][key]
    told = _starred(_select({"title": first.get("title", key)}, labels))
    found, rest = {key: told}, {}
    for name in dict.fromkeys(n for v in variants for n in v["properties"]):
        if name == key:
            continue
        owners = {
            _value(v, key): v["properties"][name]
            for v in variants
            if name in v["properties"]
        }
        kept, needed = shared_member(variants, name)
        plain = [o for o, m in owners.items() if not hints(m).get("advanced")]
        own = _beside_text(kept) if "beside" in hints(kept) else None
        own = own or field(name, kept, needed)
        if needed and own["type"] != "object":
            own = _starred(own)
        hidden = [o for o in owners if o not in plain]
        tests = [_among(key, plain, labels)] if plain else []
        if hidden:
            tests.append(both(opened(name, own), _among(key, hidden, labels)))
        if None not in tests:
            own["showExpr"] = " || ".join(tests)
        (rest if hidden else found)[name] = own
        besides = [o for o, m in owners.items() if "beside" in hints(m)]
        for list_name, own, advanced in _besides(kept):
            shown = _among(key, besides, labels)
            if advanced:
                shown = both(opened(list_name, own), shown)
            (rest if advanced else found)[list_name] = own | {"showExpr": shown}
    if rest:
        found |= {SWITCH: switch(), **rest}
    return {"type": "object", "properties": found}


def row_fields(variants: list[dict]) -> dict:
    """The fields of rows of several kinds."""
    return _merged(variants).get("properties", {})


def row_key(variants: list[dict]) -> str | None:
    """The member by which rows of several kinds of objects are told apart, if any."""
    for name in variants[0].get("properties", {}):
        if all(_constant(v.get("properties", {}).get(name, {})) for v in variants):
            return name
    return None


def _value(variant: dict, key: str) -> str:
    return variant["properties"][key]["enum"][0]


def shared_member(variants: list[dict], name: str) -> tuple[dict, bool]:
    """The schema by which a member of such rows is rendered for all kinds that have it,
    and whether all of them require it."""
    owners = [v for v in variants if name in v["properties"]]
    needed = all(name in v.get("required", ()) for v in owners)
    return owners[0]["properties"][name], needed


def _among(key: str, values: list[str], all_values: dict) -> str | None:
    """The test for rows of these kinds; None where these are all."""
    return None if len(values) == len(all_values) else one_of(f"fields.{key}", values)


def _beside_text(schema: dict) -> dict:
    """The field of a union of a text and a list of parts: the text."""
    text = next(v for v in schema["anyOf"] if v.get("type") == "string")
    own = {**text, **texts(schema), "x-form": hints(schema)}
    return {"type": "string", **texts(own), **_text(own, False)}


def _besides(schema: dict) -> list[tuple[str, dict, bool]]:
    """The lists beside such a text, with whether they are advanced."""
    found = []
    for name, own in hints(schema).get("beside", {}).items():
        if name == "pictures":
            items = {"type": "string", "x-file": "uri", "title": "Picture"}
        else:
            items = next(v for v in schema["anyOf"] if v.get("type") == "array")
            items = items["items"]
        lists = {"type": "array", **own, "items": items}
        advanced = bool(hints(own).get("advanced"))
        found.append((name, field(name, lists, False), advanced))
    return found


def row(inner: dict) -> dict:
    """A list's row: there it is the order of the properties that counts, and each says
    of itself that it is required."""
    for name in inner.get("required", ()):
        if inner["properties"][name]["type"] != "object":
            inner["properties"][name] = _starred(inner["properties"][name])
    return {"type": "object", "properties": inner["properties"]}


def _starred(field: dict) -> dict:
    """A field of a row that must be filled. Windmill's form asks whether the word is
    truthy, which an empty list is; and it is the one such value that is also JSON
    Schema, without which a client of the tools refuses the whole list of them."""
    return {**field, "required": []}


def _choice(name: str, schema: dict, required: bool) -> dict:
    """A union: a group of buttons, the first of an optional one meaning "as it is"."""
    variants = [] if required else [variant(LEAVE, {}, [])]
    for one in schema["anyOf"]:
        if one.get("type") == "null":
            continue
        title = one.get("title") or one["type"].title()
        if len(one.get("enum", ())) == 1 or hints(one).get("bare"):
            variants.append(variant(title, {}, []))
        elif one.get("type") == "object" and one.get("properties"):
            told = {n: m for n, m in one["properties"].items() if _constant(m)}
            rest = {n: m for n, m in one["properties"].items() if n not in told}
            inner = members({**one, "properties": rest})
            variants.append(
                variant(title, inner["properties"], inner.get("required", []))
            )
        else:
            value = field(name, {**one, "title": title}, True)
            behind = BEHIND.get(kind_of(one), "value")
            variants.append(variant(title, {behind: value}, [behind]))
    return {"type": "object", **texts(schema), "oneOf": variants}


def _constant(schema: dict) -> bool:
    return len(schema.get("enum", ())) == 1


def variant(title: str, fields: dict, required: list[str]) -> dict:
    """One button of a group and what is behind it."""
    label = {"type": "string", "enum": [title]}
    return {
        "type": "object",
        "title": title,
        "properties": {"label": label, **fields},
        "order": ["label", *fields],
        "required": required,
    }
