"""Read what somebody asks for: a look, or what Alertmanager says. Pure."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from igpipe.config.types import Model, Seconds
from igpipe.errors import InputError
from igpipe.text import safe

_FAULTS: Final = 5
_Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
_Short = Annotated[str, StringConstraints(max_length=253)]


class LookBody(Model):
    """The body of ``POST /api/v1/looks``: nodes and a gadget, and what for."""

    nodes: tuple[_Name, ...] = Field(min_length=1, max_length=1000)
    """Names of nodes."""
    gadget: _Name
    """The gadget as Inspektor Gadget names it."""
    duration: Seconds = Field(60.0, ge=1)
    """How long."""
    reason: str = Field(min_length=1, max_length=500)
    """What for; it is in the ledger."""
    namespace: _Short = ""
    """Show the events of this namespace only."""
    pods: tuple[_Name, ...] = Field((), max_length=1000)
    """Of these Pods only; with a namespace."""
    workload: _Short = ""
    """Of this workload's Pods only; with a namespace."""
    claims: str = Field("", max_length=100)
    """Who asks, by their own account."""


class Alert(BaseModel):
    """One alert of Alertmanager's; what else it has is of no use here."""

    model_config = ConfigDict(extra="ignore")

    status: str = ""
    labels: Mapping[str, str] = Field(default_factory=dict)


class Alerts(BaseModel):
    """The body of Alertmanager's webhook, version 4."""

    model_config = ConfigDict(extra="ignore")

    alerts: tuple[Alert, ...]
    receiver: str = ""


def parse_asked(body: bytes) -> LookBody | Alerts:
    """
    Tell a request from a webhook by its ``alerts``. Raises InputError that names the key.

    Both may come to one path: Alertmanager sends its body as it is.
    """
    model = Alerts if b'"alerts"' in body else LookBody
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}"
            for fault in exc.errors(include_url=False, include_input=False)
        ]
        raise InputError(safe("; ".join(faults[:_FAULTS]), 1000)) from None
