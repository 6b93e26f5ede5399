"""What of a node is shown to those who asked for a part of it."""

import pytest

from igpipe.sessions import Part


def event(namespace: str = "shop", pod: str = "cart-6d4cf56db6-x2v4z") -> dict[str, object]:
    """Make an event of a Pod."""
    return {"k8s": {"namespace": namespace, "podName": pod}}


@pytest.mark.parametrize(
    ("part", "held"),
    [
        (Part(), True),
        (Part("shop"), True),
        (Part("bank"), False),
        (Part("shop", frozenset({"cart-6d4cf56db6-x2v4z"})), True),
        (Part("shop", frozenset({"cart-6d4cf56db6-other"})), False),
        (Part("shop", workload="cart"), True),
        (Part("shop", workload="car"), False),
        (Part("shop", frozenset({"cart-6d4cf56db6-other"}), "cart"), True),
        (Part("bank", workload="cart"), False),
    ],
)
def test_a_part_is_a_namespace_and_pods_in_it(part: Part, held: bool) -> None:
    """A Pod of the namespace counts by its name, or by its workload's."""
    assert part.holds(event()) is held


@pytest.mark.parametrize("odd", [{}, {"k8s": None}, {"k8s": {"namespace": ["shop"]}}])
def test_foreign_shapes_are_of_no_part(odd: dict[str, object]) -> None:
    """What names no namespace as it should is not shown, and raises nothing."""
    assert not Part("shop").holds(odd)
