"""What the sandbox's models say: enough to try every step that asks one.

A chat model answers as below; texts that share words have near vectors and high scores.

Without wit, but to the point: JSON that fits the schema asked for; the first category
where the instructions list some; a call of the first tool whose arguments it can fill
in, and once its result is there, an answer that holds it; else the question again, so
that rows can be told apart; log probabilities in the form asked for.

What it calls can be told to it, by JSON as the user's last message: {"rounds":
[[{"tool": name, "arguments": object, or a text as it is}], ...], "answer": text}. It
makes the calls of each round at once, then says the answer, or what the tools said.
"""

import json
import math
import re
import zlib

from tools.operations import find

CATEGORY = re.compile(r"^(\w+): \S", re.MULTILINE)
ECHO = "The sandbox's answer to: "
LONGEST_ECHO = 300  # characters of a question
ADDRESS = re.compile(r"\b(?:s3|https?)://[^\s\"'<>()\[\]{},;]*[\w/]")
LIKELY, UNLIKELY = -0.105, -2.996  # logarithms of 0.9 and 0.05


def chat(given: dict, answer: dict) -> dict:
    """The answer to a chat request, made from the canned one."""
    choices = []
    for choice in answer["choices"]:
        message = {**choice["message"], **_message(given, choice["message"])}
        choice = {**choice, "message": message}
        if message.get("tool_calls"):
            choice["finish_reason"] = "tool_calls"
        if given.get("logprobs"):
            choice["logprobs"] = logprobs(given, pieces(message["content"]))
        choices.append(choice)
    return {**answer, "choices": choices}


def embeddings(given: dict, answer: dict) -> dict:
    """The answer to a request for vectors: one for each text, each of length 1."""
    texts = given["input"] if isinstance(given["input"], list) else [given["input"]]
    (first,) = answer["data"]
    size = len(first["embedding"])
    vectors = [_vector(text, size) for text in texts]
    data = [{**first, "index": n, "embedding": v} for n, v in enumerate(vectors)]
    return {**answer, "data": data}


def _vector(text: object, size: int) -> list[float]:
    counts = [0.01] * size
    for word in _words(text):
        counts[zlib.crc32(word.encode()) % size] += 1
    length = math.hypot(*counts)
    return [round(count / length, 6) for count in counts]


def rerank(given: dict, answer: dict) -> dict:
    """The answer to a request for scores: the share of the query's words."""
    query, fields = _words(given["query"]), given.get("rank_fields")
    results = []
    for index, document in enumerate(given["documents"]):
        if isinstance(document, dict):
            text = " ".join(str(document.get(f, "")) for f in fields or document)
        else:
            text = document
        score = len(query & _words(text)) / max(len(query), 1)
        result = {"index": index, "relevance_score": round(score, 4)}
        if given.get("return_documents"):
            shown = document if isinstance(document, dict) else {"text": document}
            result["document"] = shown
        results.append(result)
    results.sort(key=lambda result: -result["relevance_score"])
    return {**answer, "results": results[: given.get("top_n")]}


def _words(text: object) -> set[str]:
    return set(re.findall(r"\w+", str(text).lower()))


def pieces(text: str | None) -> list[str]:
    """A text in the pieces of a stream; they are the sandbox's tokens, too."""
    return re.findall(r"\s*\S+|\s+$", text or "")


def logprobs(given: dict, tokens: list[str]) -> dict:
    """Log probabilities of tokens: a count alone is the older form of asking."""
    if given["logprobs"] is True:
        count = given.get("top_logprobs") or 0
        return {"content": [_row(token, count) for token in tokens]}
    return {
        "tokens": tokens,
        "token_logprobs": [LIKELY for _ in tokens],
        "token_ids": [len(token) for token in tokens],
    }


def _row(token: str, count: int) -> dict:
    others = [{"token": token, "logprob": LIKELY}, {"token": "B", "logprob": UNLIKELY}]
    return {"token": token, "logprob": LIKELY, "top_logprobs": others[:count]}


def _message(given: dict, canned: dict) -> dict:
    """The members of the message that the request decides."""
    messages = given.get("messages") or [{}]
    tools = given.get("tools") or []
    choice = given.get("tool_choice", "auto")
    if script := _script(messages):
        return _scripted(*script, tools and choice != "none")
    may_call = tools and choice != "none" and messages[-1].get("role") != "tool"
    if may_call and (call := _call(tools, choice, messages)):
        return {"content": None, "tool_calls": [call]}
    wanted = given.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema", {})
        return {"content": json.dumps(fitting(schema, schema))}
    if wanted.get("type") == "json_object":
        return {"content": json.dumps({"answer": canned["content"]})}
    if messages[-1].get("role") == "tool":
        return {"content": f"The tool says: {messages[-1].get('content')}"}
    told = " ".join(
        str(m.get("content")) for m in messages if m.get("role") == "system"
    )
    if "Answer with the" in told and CATEGORY.search(told):
        return {"content": CATEGORY.search(told)[1]}
    question = _question(messages[-1])
    example = find("chat/create_chat_completion").schema["examples"][0]["body"]
    if question in ("", _question(example["messages"][-1])):
        return {}
    return {"content": ECHO + question}


def _script(messages: list[dict]) -> tuple[dict, list[dict]] | None:
    """What the user's last message tells the model to do, and what came after it."""
    users = [n for n, message in enumerate(messages) if message.get("role") == "user"]
    text = messages[users[-1]].get("content") if users else None
    try:
        script = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(script, dict) or not isinstance(script.get("rounds"), list):
        return None
    return script, messages[users[-1] + 1 :]


def _scripted(script: dict, since: list[dict], may_call: bool) -> dict:
    done = sum(bool(message.get("tool_calls")) for message in since)
    if may_call and done < len(script["rounds"]):
        calls = script["rounds"][done]
        made = []
        for number, call in enumerate(calls if isinstance(calls, list) else [calls]):
            given = call.get("arguments", {})
            given = given if isinstance(given, str) else json.dumps(given)
            function = {"name": call.get("tool"), "arguments": given}
            name = f"call_{done + 1}_{number + 1}"
            whole = {"id": name, "index": number, "type": "function"}
            made.append({**whole, "function": function})
        return {"content": None, "tool_calls": made}
    if "answer" in script:
        return {"content": str(script["answer"])}
    calls = [n for n, message in enumerate(since) if message.get("tool_calls")]
    said = since[calls[-1] + 1 :] if calls else []
    told = "; ".join(str(message.get("content")) for message in said)
    return {"content": f"The tools say: {told}"}


def _question(message: dict) -> str:
    """The text of a message, as far as an answer repeats it."""
    return _whole_text(message).strip()[:LONGEST_ECHO]


def _whole_text(message: dict) -> str:
    content = message.get("content")
    if isinstance(content, list):
        parts = (p.get("text") for p in content if isinstance(p, dict))
        content = " ".join(text for text in parts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def nameless(tools: list[dict]) -> str | None:
    """Where a tool's function has no name, though the schema alone would let it."""
    for number, tool in enumerate(tools):
        if not (tool.get("function") or {}).get("name"):
            return f"body.tools.{number}.function.name"
    return None


def _call(tools: list[dict], choice: object, messages: list[dict]) -> dict | None:
    """A call of the tool that has to be called, or else of the first whose arguments
    can be filled in; None: of none."""
    named = {tool["function"]["name"]: tool["function"] for tool in reversed(tools)}
    wanted = choice["function"]["name"] if isinstance(choice, dict) else choice
    forced = wanted in named or wanted == "required"
    for name in [wanted] if wanted in named else reversed(named):
        given = _filled_in(named[name].get("parameters") or {}, messages)
        if given is None and not forced:
            continue
        call = {"id": f"call_{name}", "type": "function", "index": 0}
        arguments = json.dumps({} if given is None else given)
        return {**call, "function": {"name": name, "arguments": arguments}}
    return None


def _filled_in(schema: dict, messages: list[dict]) -> object:
    """Arguments for a tool: what its schema says, and where that takes any text, what
    the messages say. None where it takes an address and they name none."""
    found = fitting(schema, schema)
    if not isinstance(found, dict):
        return found
    for name, value in found.items():
        member = schema.get("properties", {}).get(name)
        if value != _text({}) or not isinstance(member, dict) or _says(member):
            continue
        if not _takes_address(member):
            asked = [m for m in messages if m.get("role") == "user"]
            found[name] = (_question(asked[-1]) if asked else "") or value
        elif address := ADDRESS.search(_texts(messages)):
            found[name] = address[0]
        else:
            return None
    return found


def _says(member: dict) -> bool:
    """Whether a schema says more of a text than that it is one."""
    words = ("enum", "const", "pattern", "format", "maxLength", "$ref", "examples")
    return any(member.get(word) for word in words) or member.get("default") is not None


def _takes_address(member: dict) -> bool:
    return str(member.get("description", "")).lower().startswith("address")


def _texts(messages: list[dict]) -> str:
    """All that was said, the latest first."""
    return " ".join(_whole_text(message) for message in reversed(messages))


def fitting(schema: object, root: dict, depth: int = 0) -> object:
    """The plainest value that a schema allows, as far as its usual words go."""
    if not isinstance(schema, dict) or depth > 20:
        return None
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].split("/")[1:]:
            target = target[part]
        return fitting(target, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("default") is not None:  # null is how a form says that there is none
        return schema["default"]
    for word in ("enum", "examples"):
        if schema.get(word):
            return schema[word][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return fitting({**schema, **schema[word][0], word: None}, root, depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        needed = schema.get("required", [])
        known = schema.get("properties", {})
        return {name: fitting(known.get(name), root, depth + 1) for name in needed}
    if kind == "array":
        count = max(schema.get("minItems", 0), 1 if depth < 5 else 0)
        return [fitting(schema.get("items", {}), root, depth + 1)] * count
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return min(least, schema.get("maximum", least))
    if kind == "boolean":
        return True
    return _text(schema) if kind == "string" else None


def _text(schema: dict) -> str:
    """A text of the length asked for; of a few, the first that the pattern takes."""
    pattern = schema.get("pattern", "")
    fits = (text for text in ("text", "2026-11-24", "1") if re.search(pattern, text))
    text = next(fits, "text").ljust(schema.get("minLength", 0), ".")
    return text[: schema.get("maxLength")]
