"""An administrator's connection to the API server: what kubectl would ask, for less."""

import json
import ssl
import threading
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.cluster.control import Control


class Refused(RuntimeError):
    """What the API server says when it says no."""

    def __init__(self, code: int, status: dict[str, Any]) -> None:
        super().__init__(f"{code}: {status.get('message', '')}")
        self.code = code
        self.message = str(status.get("message", ""))


class Unreachable(RuntimeError):
    """It does not answer."""


class Api:
    """One connection, opened again when it breaks; threads take turns."""

    def __init__(self, control: Control) -> None:
        context = ssl.create_default_context(cafile=str(control.authority.file))
        context.load_cert_chain(*control.authority.issue("admin", "api", group="system:masters"))
        server = urlsplit(control.server)
        self._connection = HTTPSConnection(
            server.hostname or "", server.port, context=context, timeout=10
        )
        self._turn = threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "",
        content: str = "merge-patch",
    ) -> dict[str, Any]:
        """Ask, as *user* if one is given; raises Refused, and Unreachable."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if method == "PATCH":
            headers["Content-Type"] = f"application/{content}+json"
        if user:
            headers["Impersonate-User"] = user
        data = None if body is None else json.dumps(body)
        with self._turn:
            try:
                code, answer = self._send(method, path, data, headers)
            except Unreachable:  # a connection that was idle for long is closed
                if method != "GET":
                    raise
                code, answer = self._send(method, path, data, headers)
        if code >= 400:
            raise Refused(code, answer)
        return answer

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """List what is at *path*."""
        found: list[dict[str, Any]] = self.ask("GET", f"{path}?{urlencode(query)}")["items"]
        return found

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        self._connection.close()

    def _send(
        self, method: str, path: str, data: str | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        try:
            self._connection.request(method, path, data, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, HTTPException, json.JSONDecodeError) as error:
            self._connection.close()
            raise Unreachable(repr(error)) from None
