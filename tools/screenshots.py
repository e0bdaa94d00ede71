"""Pictures of important forms for docs/forms, as Windmill's own component has them."""

from collections.abc import Iterator
from pathlib import Path

from tools.browser import Browser
from tools.flows import target
from tools.sandbox import Sandbox

IMPORTANT = (
    "chat/create_chat_completion",
    "images/generate_image",
    "audio/create_speech",
    "audio/create_transcription",
    "embeddings/create_embeddings",
    "rerank/rerank_documents",
    "files/upload_file",
    "batches/create_batch",
    "fine_tuning/create_fine_tune",
    "evaluations/create_evaluation",
    "videos/create_video",
    "endpoints/create_endpoint_deployment",
    "chat/ask_model",
    "chat/extract_structured",
    "chat/map_rows",
    "flows/run_batch",
    "flows/fine_tune_model",
)


def screenshots(folder: Path) -> Iterator[Path]:
    """Write <folder>/<name>.png for each important one; yield each when written.

    The models that they offer are the sandbox's. Raises OSError when Node, its packages
    or Chromium are missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Sandbox() as sandbox:
        auth = {"api_key": "sandbox", "base_url": sandbox.url}
        with Browser(auth) as browser:
            for script_id in IMPORTANT:
                script = target(script_id)
                browser.show(script)
                path = folder.resolve() / f"{script.name}.png"
                browser.picture(path)
                yield path
