"""Types of an event's values, for reading one without all that is in it. Pure."""

from typing import Annotated, Any

from msgspec import Meta

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A number that both parsers read alike: orjson makes a float of a longer one, or refuses it."""

Value = Int64 | float | str | bool | list[Any] | dict[str, Any] | None
"""Anything but an integer that is longer: an event that has one is parsed whole."""
