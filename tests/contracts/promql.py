"""Which labels the result of a PromQL expression has: an expression that names others is wrong."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import promql_parser as promql

SCRAPED: Final = frozenset(("cluster", "instance", "job"))
"""Labels that Prometheus adds."""
_SETS: Final = ("and", "unless")
_KEEP: Final = ("topk", "bottomk")

parse: Final = cache(promql.parse)
"""Parse an expression; much is asked often."""

Catalogue = Mapping[str, set[str]]


class UnknownLabelError(Exception):
    """An expression names a label that its operand does not have."""


def selectors(node: Any) -> Iterator[tuple[Any, Any, str]]:
    """Give each selector below *node*, its range (or None), and the function it is in."""
    if isinstance(node, promql.VectorSelector):
        yield node, None, ""
    elif isinstance(node, promql.MatrixSelector):
        yield node.vector_selector, node.range, ""
    elif isinstance(node, promql.Call):
        for argument in node.args:
            for selector, span, inner in selectors(argument):
                yield selector, span, inner or node.func.name
    else:
        for part in ("expr", "lhs", "rhs"):
            if hasattr(node, part):
                yield from selectors(getattr(node, part))


def matched(selector: Any) -> dict[str, str]:
    """Map the labels that a selector matches to what they are matched with."""
    return {m.name: m.value for m in selector.matchers.matchers}


def labels(node: Any, catalogue: Catalogue) -> set[str]:
    """Find the labels of the result of *node*. UnknownLabelError if it names others."""
    if isinstance(node, promql.MatrixSelector):
        node = node.vector_selector
    if isinstance(node, promql.VectorSelector):
        have = catalogue[node.name] | SCRAPED
        _demand(matched(node), have)
        return have
    if isinstance(node, promql.Call):
        found = [labels(argument, catalogue) for argument in node.args]
        gone = {"le"} if node.func.name == "histogram_quantile" else set()
        return set().union(*found) - gone
    if isinstance(node, promql.AggregateExpr):
        return _aggregated(node, labels(node.expr, catalogue))
    if isinstance(node, promql.BinaryExpr):
        return _joined(node, labels(node.lhs, catalogue), labels(node.rhs, catalogue))
    return labels(node.expr, catalogue) if hasattr(node, "expr") else set()


def _aggregated(node: Any, have: set[str]) -> set[str]:
    if node.modifier is None:
        return have if str(node.op) in _KEEP else set()
    wanted = set(node.modifier.labels)
    _demand(wanted, have)
    return wanted


def _joined(node: Any, left: set[str], right: set[str]) -> set[str]:
    on = set(node.modifier.matching.labels) if node.modifier and node.modifier.matching else None
    if on:
        _demand(on, left)
        _demand(on, right)
    operator = str(node.op)
    if operator in _SETS:
        return left
    if operator == "or":
        return left | right
    many = node.modifier is not None and "group_left" in str(node.modifier)
    return left if many or (on is None and left) else on or right


def _demand(wanted: Any, have: set[str]) -> None:
    if missing := set(wanted) - have - {"__name__"}:
        raise UnknownLabelError(f"{sorted(missing)}: there is {sorted(have)}")
