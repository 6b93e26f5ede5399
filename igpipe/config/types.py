"""What configuration values are made of: durations, sizes and the strict base model."""

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NOT_A_DURATION: Final = 'expected a duration such as "90s", "5m" or "1h30m"'
_NOT_A_SIZE: Final = 'expected a size such as "256KiB" or "1GiB"'
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?")
_UNITS: Final = {
    "TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10,
    "TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1,
}  # fmt: skip


class Model(BaseModel):
    """Base of every configuration model: frozen, strict, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


def parse_duration(value: Any) -> Any:
    """Turn ``90``, ``"90s"`` or ``"1h30m"`` into seconds; anything else is left for pydantic."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(_NOT_A_DURATION)  # noqa: TRY004 - pydantic wants ValueError
    if isinstance(value, int | float):
        return float(value)
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(_NOT_A_DURATION)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def show_duration(seconds: float) -> str:
    """Write seconds as people do: ``1h30m``."""
    if seconds <= 0:
        return "0s"
    left = round(seconds * 1000)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size(value: Any) -> Any:
    """Turn ``1048576`` or ``"1MiB"`` into bytes."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(_NOT_A_SIZE)  # noqa: TRY004 - pydantic wants ValueError
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(_NOT_A_SIZE)
    return int(float(match[1]) * _UNITS[match[2] or "B"])


def show_size(size: int) -> str:
    """Write bytes in the largest binary unit that divides them."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


Seconds = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=float | str),
    Field(ge=0),
    PlainSerializer(show_duration, when_used="always"),
]
"""A duration; read as ``"90s"``, held as seconds."""

Bytes = Annotated[
    int,
    BeforeValidator(parse_size, json_schema_input_type=int | str),
    Field(ge=0),
    PlainSerializer(show_size, when_used="always"),
]
"""A size; read as ``"1MiB"``, held as bytes."""
