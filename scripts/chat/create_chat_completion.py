# skip_result_postprocessing
"""Create chat completion.

POST /v1/chat/completions

Sends a conversation to a chat model and returns its next message. Use it to ask,
summarise, extract data, read pictures or let a model call your tools; it needs only the
name of a model (models/list_models).

Returns: the completion; the answer is in choices[0].message.content, calls of your
tools in choices[0].message.tool_calls, why it ended in choices[0].finish_reason, the
tokens used in usage.

Example arguments:
    {"body": {"model": "meta-llama/Llama-3.3-70B-Instruct-Turbo", "messages": [{"role":
    "user", "content": "Name three uses of old bicycle tyres, one line each."}]}}

API reference: https://docs.together.ai/reference/chat-completions
Rendered from schemas/chat/create_chat_completion.json; edit that, not this.
"""

from ..client import run, stream, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Text(TypedDict):
        type: Literal["text"]
        text: str

    class ImageUrl(TypedDict):
        url: str | dict

    class Image(TypedDict):
        type: NotRequired[Literal["image_url"]]
        image_url: NotRequired[ImageUrl]

    class Video(TypedDict):
        type: Literal["video_url"]
        video_url: ImageUrl

    class AudioAddress(TypedDict):
        type: Literal["audio_url"]
        audio_url: ImageUrl

    class InputAudio(TypedDict):
        data: str | dict
        format: str

    class AudioData(TypedDict):
        type: Literal["input_audio"]
        input_audio: InputAudio

    class UserMessage(TypedDict):
        role: Literal["user"]
        content: str | list[Text | Image | Video | AudioAddress | AudioData]
        name: NotRequired[str]

    class SystemMessage(TypedDict):
        role: Literal["system"]
        content: str
        name: NotRequired[str]

    class Function(TypedDict):
        name: str
        arguments: str

    class ToolCalls(TypedDict):
        index: NotRequired[float]
        id: str
        type: Literal["function"]
        function: Function

    class FunctionCall(TypedDict):
        arguments: str
        name: str

    class AssistantMessage(TypedDict):
        role: Literal["assistant"]
        content: NotRequired[str | None]
        name: NotRequired[str]
        tool_calls: NotRequired[list[ToolCalls]]
        function_call: NotRequired[FunctionCall]
        reasoning: NotRequired[str | None]
        reasoning_content: NotRequired[str | None]

    class ToolResult(TypedDict):
        role: Literal["tool"]
        content: str
        tool_call_id: str
        name: NotRequired[str]

    class FunctionResultDeprecated(TypedDict):
        role: Literal["function"]
        content: str
        name: str

    class Text2(TypedDict):
        type: Literal["text"]

    class JsonSchema(TypedDict):
        name: NotRequired[str]
        schema: NotRequired[dict]
        strict: NotRequired[bool | None]
        description: NotRequired[str]

    class JSONSchema(TypedDict):
        type: Literal["json_schema"]
        json_schema: NotRequired[JsonSchema]
        schema: NotRequired[dict]

    class AnyJSON(TypedDict):
        type: Literal["json_object"]
        schema: NotRequired[dict]

    class RegularExpression(TypedDict):
        type: Literal["regex"]
        pattern: str

    class Function2(TypedDict):
        name: NotRequired[str]
        description: NotRequired[str]
        parameters: NotRequired[dict]
        strict: NotRequired[bool]

    class Tools(TypedDict):
        type: NotRequired[str]
        function: NotRequired[Function2]

    class Function3(TypedDict):
        name: str
        arguments: NotRequired[str]

    class FunctionObject(TypedDict):
        index: NotRequired[float]
        id: NotRequired[str]
        type: Literal["function"]
        function: Function3

    class Reasoning(TypedDict):
        enabled: NotRequired[bool]

    class NamedFunction(TypedDict):
        name: str

    class Body(TypedDict):
        model: str
        messages: list[
            UserMessage
            | SystemMessage
            | AssistantMessage
            | ToolResult
            | FunctionResultDeprecated
        ]
        max_tokens: NotRequired[int]
        temperature: NotRequired[float]
        response_format: NotRequired[Text2 | JSONSchema | AnyJSON | RegularExpression]
        reasoning_effort: NotRequired[str]
        stream: NotRequired[bool]
        tools: NotRequired[list[Tools]]
        tool_choice: NotRequired[str | FunctionObject]
        reasoning: NotRequired[Reasoning]
        stop: NotRequired[list[str]]
        top_p: NotRequired[float]
        top_k: NotRequired[int]
        min_p: NotRequired[float]
        seed: NotRequired[int]
        n: NotRequired[int]
        repetition_penalty: NotRequired[float]
        presence_penalty: NotRequired[float]
        frequency_penalty: NotRequired[float]
        context_length_exceeded_behavior: NotRequired[Literal["truncate", "error"]]
        logprobs: NotRequired[int | bool]
        top_logprobs: NotRequired[int]
        echo: NotRequired[bool]
        logit_bias: NotRequired[dict[str, float]]
        chat_template_kwargs: NotRequired[dict]
        safety_model: NotRequired[str]
        compliance: NotRequired[Literal["hipaa"]]
        function_call: NotRequired[Literal["none", "auto"] | NamedFunction]
        prompt_cache_key: NotRequired[str]
        user: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(stream, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/chat/completions", "retry": "inference",
  "host": "https://api-inference.together.ai", "stream": "chat", "arguments": {"required": ["body"],
    "properties": {
      "body": {"type": "object", "required": ["model", "messages"], "properties": {
          "model": {"type": "string"},
          "messages": {"type": "array", "items": {"anyOf": [
                {"type": "object", "required": ["content", "role"], "title": "User message",
                  "properties": {
                    "role": {"type": "string", "enum": ["user"]},
                    "content": {"anyOf": [
                        {"type": "string", "title": "Text"},
                        {"type": "array", "title": "List of parts", "items": {"anyOf": [
                              {"type": "object", "required": ["type", "text"], "title": "Text",
                                "properties": {
                                  "type": {"type": "string", "enum": ["text"]},
                                  "text": {"type": "string", "minLength": 1}}},
                              {"type": "object", "title": "Image", "properties": {
                                  "type": {"type": "string", "enum": ["image_url"]},
                                  "image_url": {"type": "object", "required": ["url"], "properties": {
                                      "url": {"type": "string", "x-file": "uri", "x-choice": True}}}}},
                              {"type": "object", "required": ["type", "video_url"], "title": "Video",
                                "properties": {
                                  "type": {"type": "string", "enum": ["video_url"]},
                                  "video_url": {"type": "object", "required": ["url"], "properties": {
                                      "url": {"type": "string", "x-file": "uri", "x-choice": True}}}}},
                              {"type": "object", "required": ["type", "audio_url"], "title": "Audio address",
                                "properties": {
                                  "type": {"type": "string", "enum": ["audio_url"]},
                                  "audio_url": {"type": "object", "required": ["url"], "properties": {
                                      "url": {"type": "string", "x-file": "uri", "x-choice": True}}}}},
                              {"type": "object", "required": ["type", "input_audio"], "title": "Audio data",
                                "properties": {
                                  "type": {"type": "string", "enum": ["input_audio"]},
                                  "input_audio": {"type": "object", "required": ["data", "format"],
                                    "properties": {
                                      "data": {"type": "string", "x-file": "base64", "x-choice": True},
                                      "format": {"type": "string"}}}}}]}}]},
                    "name": {"type": "string"}},
                  "x-beside": "content", "x-advanced": True},
                {"type": "object", "required": ["content", "role"], "title": "System message",
                  "properties": {
                    "role": {"type": "string", "enum": ["system"]},
                    "content": {"type": "string"},
                    "name": {"type": "string"}},
                  "x-advanced": True},
                {"type": "object", "required": ["role"], "title": "Assistant message", "properties": {
                    "role": {"type": "string", "enum": ["assistant"]},
                    "content": {"type": ["string", "null"]},
                    "name": {"type": "string"},
                    "tool_calls": {"type": "array", "items": {"type": "object", "required": ["id", "type",
                          "function"],
                        "properties": {
                          "index": {"type": "number"},
                          "id": {"type": "string"},
                          "type": {"type": "string", "enum": ["function"]},
                          "function": {"type": "object", "required": ["name", "arguments"],
                            "properties": {
                              "name": {"type": "string"}, "arguments": {"type": "string", "minLength": 0}}}}}},
                    "function_call": {"type": "object", "required": ["arguments", "name"], "x-choice": True,
                      "properties": {"arguments": {"type": "string", "minLength": 0}, "name": {"type": "string"}}},
                    "reasoning": {"type": ["string", "null"]},
                    "reasoning_content": {"type": ["string", "null"]}},
                  "x-advanced": True},
                {"type": "object", "required": ["role", "content", "tool_call_id"], "title": "Tool result",
                  "properties": {
                    "role": {"type": "string", "enum": ["tool"]},
                    "content": {"type": "string", "minLength": 0},
                    "tool_call_id": {"type": "string", "minLength": 1},
                    "name": {"type": "string"}},
                  "x-advanced": True},
                {"type": "object", "required": ["role", "content", "name"], "title": "Function result (deprecated)",
                  "properties": {
                    "role": {"type": "string", "enum": ["function"]},
                    "content": {"type": "string", "minLength": 0},
                    "name": {"type": "string", "minLength": 1}},
                  "x-advanced": True}]}},
          "max_tokens": {"type": "integer"},
          "temperature": {"type": "number"},
          "response_format": {"x-choice": True, "anyOf": [
              {"type": "object", "required": ["type"], "title": "Text", "properties": {
                  "type": {"type": "string", "enum": ["text"]}}},
              {"type": "object", "required": ["type"], "title": "JSON schema", "properties": {
                  "type": {"type": "string", "enum": ["json_schema"]},
                  "json_schema": {"type": "object", "properties": {
                      "name": {"type": "string", "minLength": 1},
                      "schema": {"type": "object", "format": "json-schema", "x-choice": True},
                      "strict": {"type": ["boolean", "null"]},
                      "description": {"type": "string"}}},
                  "schema": {"type": "object", "format": "json-schema"}}},
              {"type": "object", "required": ["type"], "title": "Any JSON", "properties": {
                  "type": {"type": "string", "enum": ["json_object"]},
                  "schema": {"type": "object", "format": "json-schema", "x-choice": True}}},
              {"type": "object", "required": ["type", "pattern"], "title": "Regular expression",
                "properties": {
                  "type": {"type": "string", "enum": ["regex"]}, "pattern": {"type": "string", "minLength": 1}}}]},
          "reasoning_effort": {"type": "string"},
          "stream": {"type": "boolean"},
          "tools": {"type": "array", "items": {"type": "object", "properties": {
                "type": {"type": "string"},
                "function": {"type": "object", "properties": {
                    "name": {"type": "string"},
                    "description": {"type": "string"},
                    "parameters": {"type": "object", "format": "json-schema", "x-choice": True},
                    "strict": {"type": "boolean"}}}}}},
          "tool_choice": {"anyOf": [
              {"type": "string", "title": "Mode or function name"},
              {"type": "object", "required": ["type", "function"], "properties": {
                  "index": {"type": "number"},
                  "id": {"type": "string", "minLength": 1},
                  "type": {"type": "string", "enum": ["function"]},
                  "function": {"type": "object", "required": ["name"], "properties": {
                      "name": {"type": "string"}, "arguments": {"type": "string"}}}},
                "title": "Function object"}]},
          "reasoning": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}},
          "stop": {"type": "array", "items": {"type": "string"}, "x-row": "text"},
          "top_p": {"type": "number"},
          "top_k": {"type": "integer"},
          "min_p": {"type": "number"},
          "seed": {"type": "integer"},
          "n": {"type": "integer", "minimum": 1, "maximum": 128},
          "repetition_penalty": {"type": "number"},
          "presence_penalty": {"type": "number"},
          "frequency_penalty": {"type": "number"},
          "context_length_exceeded_behavior": {"type": "string", "enum": ["truncate", "error"]},
          "logprobs": {"x-choice": True, "anyOf": [
              {"type": "integer", "minimum": 0, "maximum": 20, "title": "Number"},
              {"type": "boolean", "title": "On or off"}]},
          "top_logprobs": {"type": "integer", "minimum": 0},
          "echo": {"type": "boolean"},
          "logit_bias": {"type": "object", "additionalProperties": {"type": "number"}},
          "chat_template_kwargs": {"type": "object"},
          "safety_model": {"type": "string"},
          "compliance": {"type": "string", "enum": ["hipaa"]},
          "function_call": {"x-choice": True, "anyOf": [
              {"type": "string", "enum": ["none", "auto"], "title": "None or auto"},
              {"type": "object", "required": ["name"], "title": "Named function", "properties": {
                  "name": {"type": "string", "minLength": 1}}}]},
          "prompt_cache_key": {"type": "string"},
          "user": {"type": "string"}},
        "x-advanced": True}}}}
