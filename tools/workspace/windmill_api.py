"""Windmill's HTTP API, as the tools ask it: one workspace with one token.

The server describes its API under /api/openapi.html. The token is in no error, no log
and no repr.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

PAGE = 1000  # entries that a list gives at a time
AT_ONCE = 16  # connections that are kept
# A kept connection may be closed as it is asked something: what changes nothing is
# asked once more.
AGAIN = Retry(
    total=1,
    connect=0,
    read=1,
    redirect=0,
    other=0,
    allowed_methods={"GET"},
    respect_retry_after_header=False,
)

# What a workspace holds, by the name that the API has for it, and what its list needs
# to be told to be whole.
KINDS = {
    "scripts": {"include_without_main": "true"},
    "flows": {},
    "schedules": {},
    "resources": {},
    "variables": {},
}
DRAFTED = ("scripts", "flows", "apps")  # of which there may be a draft alone


class ApiError(Exception):
    """Windmill refused or did not answer: `status` (None: no answer), and its words."""

    def __init__(self, method: str, path: str, status: int | None, words: str) -> None:
        said = f"{status}: {words}" if status else words
        super().__init__(f"{method} {path}: {said}")
        self.status = status
        self.words = words


class WindmillApi:
    """A workspace of a server. Raises ApiError for everything that is no success."""

    def __init__(
        self, base_url: str, workspace: str, token: str, timeout: float = 60.0
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.workspace = workspace
        self.timeout = timeout
        self.session = requests.Session()
        # As `auth`, so that no .netrc takes its place.
        self.session.auth = _Bearer(token)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(AT_ONCE, AT_ONCE, AGAIN))

    def ask(
        self, method: str, path: str, body: object = None, **query: object
    ) -> object:
        """What the server answers: JSON, or a text. `path` is within the workspace,
        or from /api on where it begins with a slash."""
        response = self.send(method, path, body, **query)
        if "json" in response.headers.get("content-type", ""):
            return response.json()
        return response.text

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        stream: bool = False,
        headers: dict[str, str] | None = None,
        **query: object,
    ) -> requests.Response:
        """The response itself; a body is sent as JSON."""
        place = path if path.startswith("/") else f"/w/{self.workspace}/{path}"
        try:
            response = self.session.request(
                method,
                f"{self.base_url}/api{quote(place)}",
                params={name: given for name, given in query.items() if given != ""},
                json=body,
                headers=headers,
                timeout=self.timeout,
                stream=stream,
                # A redirect would make a GET of a POST.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ApiError(method, path, None, self._masked(str(error))) from None
        if response.is_redirect:
            place = _place(self._masked(response.headers["location"]))
            words = f"the server has moved to {place}"
            raise ApiError(method, path, response.status_code, words)
        if not response.ok:
            # Masked before it is cut: half of a token is no token that is found.
            words = self._masked(response.text).strip()[:2000] or response.reason
            raise ApiError(method, path, response.status_code, words)
        return response

    def _masked(self, words: str) -> str:
        return words.replace(self.session.auth.token, "***")

    def get(self, path: str, **query: object) -> object:
        return self.ask("GET", path, **query)

    def post(self, path: str, body: object = None, **query: object) -> object:
        """Without a body where the call takes none: the server closes a connection on
        which it leaves one unread, and what is asked next would be lost."""
        return self.ask("POST", path, body, **query)

    def delete(self, path: str) -> object:
        return self.ask("DELETE", path)

    def find(self, path: str, **query: object) -> object | None:
        """Like `get`; None where there is no such thing."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def version(self) -> str:
        """Such as "1.713.1"."""
        said = str(self.get("/version")).split()[-1]
        return said.lstrip("v").split("-")[0]

    def pages(self, path: str, **query: object) -> Iterator[dict]:
        """Every entry of a list, page by page."""
        number = 1
        while True:
            found = self.get(path, page=number, per_page=PAGE, **query)
            yield from found
            if len(found) < PAGE:
                return
            number += 1

    def entries(
        self, kind: str, start: str = "", drafts: bool = False
    ) -> dict[str, dict]:
        """The objects of a kind, such as scripts, whose paths begin so, by path; also
        those that are drafts and no more, where such are wanted."""
        more = {"path_start": start} if start else {}
        if drafts and kind in DRAFTED:
            more["include_draft_only"] = "true"
        found = self.pages(f"{kind}/list", **KINDS.get(kind, {}), **more)
        # Servers differ in which of their lists know path_start; to those that do, `_`
        # is any letter.
        return {e["path"]: e for e in found if e["path"].startswith(start)}


def _place(address: str) -> str:
    """An address without its user, query and fragment, which may hold secrets."""
    return re.sub(r"//[^/]*@", "//", re.sub(r"[?#].*", "", address, flags=re.DOTALL))


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request
