"""Pictures of forms, for the docs: each as Windmill's own component shows it."""

from collections.abc import Iterator
from pathlib import Path

from tools.browser import Browser
from tools.operations import find
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
    "chat/extract_structured",
    "chat/map_rows",
)


def screenshots(target: Path) -> Iterator[Path]:
    """Write <target>/<name>.png for each important script; yield each when written.

    The models that they offer are the sandbox's. Raises OSError when Node, its packages
    or Chromium are missing.
    """
    target.mkdir(parents=True, exist_ok=True)
    with Sandbox() as sandbox:
        auth = {"api_key": "sandbox", "base_url": sandbox.url}
        with Browser(auth) as browser:
            for script_id in IMPORTANT:
                script = find(script_id)
                browser.show(script)
                path = target.resolve() / f"{script.name}.png"
                browser.picture(path)
                yield path
