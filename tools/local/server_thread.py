"""How the stand-ins for other people's servers run: each in a thread, on loopback."""

import errno
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import uvicorn

POLL = 0.01  # seconds after which a server of the standard library sees its end


class ServerThread:
    """An ASGI application on a port of its own, as a context manager.

    https://asgi.readthedocs.io/. `__enter__` raises OSError where it cannot start.
    """

    def __init__(
        self,
        app: Callable,
        host: str = "127.0.0.1",
        port: int = 0,
        log_level: str = "warning",
    ) -> None:
        settings = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level=log_level,
            lifespan="off",
            timeout_keep_alive=60,  # a reused connection is not cut as it is used
            timeout_graceful_shutdown=10,  # a request that hangs does not keep it
            interface="asgi3",
        )
        self.server = uvicorn.Server(settings)

    def __enter__(self) -> Self:
        listener = self._listener()
        self.thread = threading.Thread(
            target=self.server.run, args=([listener],), daemon=True
        )
        self.thread.start()
        while not self.server.started:
            if not self.thread.is_alive():
                raise OSError(f"the {type(self).__name__.lower()} could not start")
            time.sleep(0.005)
        return self

    def _listener(self) -> socket.socket:
        host, port = self.server.config.host, self.server.config.port
        try:
            found = socket.create_server(
                (host, port), backlog=self.server.config.backlog
            )
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            why = "taken" if error.errno == errno.EADDRINUSE else "not for you to use"
            raise OSError(
                f"the {type(self).__name__.lower()} could not start: port {port} is "
                f"{why}; take another, or 0 for a free one"
            ) from None
        # asyncio sends at once, without Nagle's wait of 40 ms, only where it is said
        # that the protocol is TCP.
        return socket.socket(
            found.family, found.type, socket.IPPROTO_TCP, fileno=found.detach()
        )

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.server.servers[0].sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """Let a server that has serve_forever and shutdown, such as http.server's, serve in
    a thread until the block ends; closing it stays with whoever opened it."""
    poll = (POLL,) if isinstance(server, socketserver.BaseServer) else ()
    thread = threading.Thread(target=server.serve_forever, args=poll, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def handling(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer HTTP requests by a handler of http.server; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, running(server):
        yield f"http://127.0.0.1:{server.server_port}"
