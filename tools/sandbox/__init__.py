"""A local server that speaks the Together API: server.py, and what it is made of.

front            the log of requests, the start page, faults by chance
lifecycles/      batches, fine-tunes, endpoints and the like, which pass through states
canned_answers   what `x-reply` says, fitted to the request
refusals         what the service refuses though a schema allows it
file_uploads     uploads of several requests; signed_storage, where their parts go
"""

from tools.sandbox.front import Chances
from tools.sandbox.server import (
    Fault,
    Recorded,
    Sandbox,
    brought,
    error_body,
    picture,
    reply,
    tone,
)

__all__ = [
    "Chances",
    "Fault",
    "Recorded",
    "Sandbox",
    "brought",
    "error_body",
    "picture",
    "reply",
    "tone",
]
