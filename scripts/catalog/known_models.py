"""What models there were on a day, best first, for a form and for steps when the
catalogue cannot be read.

Rendered from schemas/_models.yaml; edit that, not this.
"""

AS_OF = "2026-10-07"
BUILT_IN = {
    "chat": [
        "openai/gpt-oss-120b",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "Qwen/Qwen3.5-9B",
        "moonshotai/Kimi-K3",
        "deepseek-ai/DeepSeek-V4-Flash-0731",
    ],
    "vision": [
        "Qwen/Qwen3.5-9B",
        "moonshotai/Kimi-K3",
    ],
    "tools": [
        "openai/gpt-oss-120b",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "Qwen/Qwen3.5-9B",
        "moonshotai/Kimi-K3",
        "deepseek-ai/DeepSeek-V4-Flash-0731",
    ],
    "structured": [
        "openai/gpt-oss-120b",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "Qwen/Qwen3.5-9B",
        "moonshotai/Kimi-K3",
        "deepseek-ai/DeepSeek-V4-Flash-0731",
    ],
    "embedding": [],
    "rerank": [],
    "image": [
        "openai/gpt-image-2",
        "google/flash-image-2.5",
        "black-forest-labs/FLUX.1-kontext-pro",
    ],
    "speech": [
        "hexgrad/Kokoro-82M",
        "cartesia/sonic-3",
        "canopylabs/orpheus-3b-0.1-ft",
    ],
    "transcription": [
        "openai/whisper-large-v3",
        "nvidia/parakeet-tdt-0.6b-v3",
    ],
    "video": [
        "minimax/hailuo-02",
        "pixverse/pixverse-v5",
    ],
    "fine_tuning": ["Qwen/Qwen3.5-9B"],
}
# Those that evaluations let judge.
JUDGES = [
    "openai/gpt-oss-120b",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "Qwen/Qwen3.5-9B",
]
# The share of its price that a request in a batch costs; of others, all.
BATCH_SHARE = {
    "meta-llama/Llama-3.3-70B-Instruct-Turbo": 0.5,
    "openai/whisper-large-v3": 0.5,
}
