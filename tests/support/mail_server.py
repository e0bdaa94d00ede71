"""A mail server for tests: takes what it is sent, and keeps it."""

import email
import email.policy
import socketserver
from contextlib import ExitStack
from email.message import EmailMessage

from tools.local.server_thread import running


class MailServer:
    """As a context manager, on a free port of this machine; no encryption, no login."""

    def __enter__(self) -> "MailServer":
        self.mails: list[EmailMessage] = []
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._serve)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.open = ExitStack()
        for needed in (self.server, running(self.server)):
            self.open.enter_context(needed)
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def _serve(self, *given: object) -> "_Session":
        return _Session(self.mails, *given)


class _Session(socketserver.StreamRequestHandler):
    """One connection, as RFC 5321 has it."""

    def __init__(self, mails: list[EmailMessage], *given: object) -> None:
        self.mails = mails
        super().__init__(*given)

    def handle(self) -> None:
        self._say("220 mail.test")
        while line := self.rfile.readline():
            word = line.split(None, 1)[0].upper() if line.strip() else b""
            if word == b"QUIT":
                self._say("221 bye")
                return
            if word == b"DATA":
                self._say("354 go on")
                self._take()
            known = word in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"DATA", b"RSET")
            self._say("250 ok" if known else "502 unknown")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line[:2] == b".." else line)
        text = b"".join(lines)
        self.mails.append(email.message_from_bytes(text, policy=email.policy.default))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
