"""A service that charges as dearly as it could, in place of the sandbox's answers."""

import json
import uuid

from tools.sandbox import Sandbox

ENDLESS = 100_000  # tokens of an answer that nothing bounds


class Meter:
    """Charges what the sandbox answers, in USD, by a table of prices."""

    def __init__(self, sandbox: Sandbox, prices: dict, id: str = "acme/meter") -> None:
        self.sandbox, self.prices, self.id = sandbox, prices, id
        self.usd = 0.0
        entry = {"id": id, "object": "model", "type": "x", "pricing": prices}
        sandbox.answers["list_models"] = lambda _: [entry]
        sandbox.answers["list_supported_models"] = lambda _: {"data": []}
        sandbox.answers["create_chat_completion"] = self.chat
        sandbox.answers["create_embeddings"] = self.embed
        sandbox.answers["rerank_documents"] = self.rerank
        self.auth = {"api_key": f"tgp_{uuid.uuid4().hex}", "base_url": sandbox.url}

    def charge(self, asked: object, answered: int = 0, share: float = 1) -> dict:
        prompt = len(json.dumps(asked, ensure_ascii=False).encode())
        prompt += 70 if answered else 0  # what a chat's template says
        asked_for = max(self.prices["input"], self.prices.get("cachedInput", 0))
        usd = prompt * asked_for + answered * self.prices["output"]
        self.usd += share * usd / 1e6
        thought = answered // 2
        cached = prompt if asked_for > self.prices["input"] else 0
        return {
            "prompt_tokens": prompt,
            "cached_tokens": cached,
            "completion_tokens": answered - thought,
            "total_tokens": prompt + answered,
        }

    def chat(self, arguments: dict) -> dict:
        body = arguments["body"]
        texts = "".join(str(m["content"]) for m in body["messages"])
        usage = self.charge([texts, body.get("tools")], body.get("max_tokens", ENDLESS))
        message = {"role": "assistant", "content": "So it is. " * 5}
        if body.get("tools") and body.get("tool_choice") != "none":
            name = body["tools"][0]["function"]["name"]
            function = {"name": name, "arguments": "{}"}
            call = {"id": uuid.uuid4().hex, "type": "function", "function": function}
            message |= {"content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"id": "c", "choices": [choice], "usage": usage}

    def embed(self, arguments: dict) -> dict:
        texts = arguments["body"]["input"]
        vectors = [{"index": n, "embedding": [0.5, 0.5]} for n in range(len(texts))]
        usage = self.charge("".join(texts))
        return {"data": vectors, "usage": {**usage, "completion_tokens": 0}}

    def rerank(self, arguments: dict) -> dict:
        body = arguments["body"]
        asked = [body["query"] + text for text in body["documents"]]
        results = [{"index": n, "relevance_score": 0.5} for n in range(len(asked))]
        return {"results": results, "usage": self.charge("".join(asked))}
