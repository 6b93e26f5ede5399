"""Refusals of the API server as Kubernetes words them: a status code and a Status body. Pure."""

from typing import Any

_KINDS = {"pods": "Pod", "nodes": "Node", "leases": "Lease"}


class Refusal(Exception):
    """The API server says no; ``retry_after`` seconds go into its header."""

    def __init__(
        self, code: int, reason: str, message: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """Build the Status object."""
        return status(self.code, self.reason, self.message)


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """Build a Status object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def success() -> dict[str, Any]:
    """Build the Status object of a delete that was done at once."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


def not_found(resource: str, name: str) -> Refusal:
    """404: there is no such object."""
    return Refusal(404, "NotFound", f'{resource} "{name}" not found')


def exists(resource: str, name: str) -> Refusal:
    """409: the name is taken."""
    return Refusal(409, "AlreadyExists", f'{resource} "{name}" already exists')


def changed(resource: str, name: str) -> Refusal:
    """409: the object is not what the caller believes."""
    return Refusal(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
    )


def another(resource: str, name: str, *told: str) -> Refusal:
    """409: a delete's precondition names another object of that name, or another version."""
    return Refusal(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {resource} "{name}": Precondition failed: '
        f"{', '.join(told)}",
    )


def invalid(resource: str, name: str, what: str) -> Refusal:
    """422: the object is not valid."""
    kind = _KINDS.get(resource, resource)
    return Refusal(422, "Invalid", f'{kind} "{name}" is invalid: {what}')


def forbidden(resource: str, what: str) -> Refusal:
    """403: the caller may not, or admission refuses it."""
    return Refusal(403, "Forbidden", f"{resource} is forbidden: {what}")


def bad_request(message: str) -> Refusal:
    """400: what was asked makes no sense, or not yet."""
    return Refusal(400, "BadRequest", message)


def too_old(asked: int, oldest: int) -> Refusal:
    """410: the version asked for is forgotten."""
    return Refusal(410, "Expired", f"too old resource version: {asked} ({oldest})")
