"""What Grafana does with a dashboard's variables before it asks: their values, from a server."""

import re
from collections.abc import Mapping
from typing import Any

from tests.contracts.grafana import DEFAULTS, Json, default, interpolate, variables
from tests.servers.http import get_json


def resolve(
    board: Json, url: str, at: float, chosen: Mapping[str, str] | None = None
) -> dict[str, str]:
    """
    Give the variables' values, as the Prometheus at *url* offers them at a unix time.

    Those *chosen* are as they are; others are All, or the first that is offered.
    """
    values = {**DEFAULTS, **(chosen or {})}
    for variable in variables(board):
        if chosen and variable["name"] in chosen:
            continue
        found = default(variable)
        if variable["type"] == "query" and variable["datasource"]["type"] == "prometheus":
            found = _value(variable, offered(variable, board, url, at, values))
        values[variable["name"]] = found
    return values


def offered(
    variable: Json, board: Json, url: str, at: float, values: Mapping[str, str]
) -> list[str]:
    """Ask for what a variable offers."""
    asked = interpolate(variable["query"]["query"], board, values)
    if known := re.fullmatch(r"label_values\((.+), (\w+)\)", asked):
        query: dict[str, Any] = {"match[]": known[1], "start": at - 3600, "end": at}
        found: list[str] = get_json(f"{url}/api/v1/label/{known[2]}/values", **query)["data"]
        return found
    expr = re.fullmatch(r"query_result\((.+)\)", asked)
    assert expr, asked
    answer = get_json(f"{url}/api/v1/query", query=expr[1], time=at)["data"]["result"]
    texts = [f"{{}} {sample['value'][1]} {sample['value'][0] * 1000:.0f}" for sample in answer]
    matches = (re.search(variable["regex"].strip("/"), text) for text in texts)
    return [match[1] for match in matches if match]


def _value(variable: Json, found: list[str]) -> str:
    if not variable["includeAll"]:
        return found[0] if found else ""
    if "allValue" in variable:
        return str(variable["allValue"])
    return "|".join(re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", each) for each in found)
