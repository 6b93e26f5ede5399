"""Which series of a counter are the largest."""

from igpipe.metrics.family import Family, Shape
from igpipe.metrics.leaders import Leaders, find_leaders
from igpipe.metrics.store import Store

OPENS = Shape("igpipe_opens_observed_total", "Opens.", "counter", ("comm",))


def found(family: Family, limit: int) -> list[Leaders]:
    """Return what is found, without the slices."""
    return [each for each in find_leaders(family, limit) if each is not None]


def filled(shape: Shape, **counts: float) -> Family:
    """Make a family with a series for each comm, each on a node of its own."""
    store = Store(100_000, 100_000, 0.0)
    family = store.family(shape)
    for comm, count in counts.items():
        store.add(family, f"node-{comm}", (comm,), count, now=1.0)
    return family


def test_the_largest_over_all_nodes_largest_first() -> None:
    """As many as asked for; those that count nothing are none."""
    family = filled(OPENS, a=3, b=7, c=0, d=5)
    assert found(family, 2) == [
        Leaders(OPENS.name, "Opens.", [({"comm": "b"}, 7.0), ({"comm": "d"}, 5.0)])
    ]
    assert len(found(family, 9)[0].series) == 3


def test_other_metrics_have_none() -> None:
    """Estimates lack the node and the Pod; an empty counter has nobody."""
    assert found(filled(Shape("igpipe_x_estimated_total", "", "counter", ("comm",)), a=1), 3) == []
    assert found(filled(OPENS), 3) == []


def test_labels_are_read_back_as_they_were() -> None:
    """Quotes, backslashes and newlines are written escaped."""
    store = Store(100, 100, 0.0)
    family = store.family(OPENS)
    store.add(family, "n", ('a\\"b\\\\c\\nd',), 1, now=1.0)
    assert found(family, 1)[0].series[0][0] == {"comm": 'a"b\\c\nd'}


def test_the_loop_has_its_turns() -> None:
    """Many series are looked at in slices."""
    family = filled(OPENS, **{f"c{number}": number for number in range(5000)})
    slices = list(find_leaders(family, 3))
    assert slices.count(None) == 2
    assert slices[-1] is not None
