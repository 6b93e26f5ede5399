"""The text of both formats, to the byte, and as other parsers read it."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from igpipe.metrics.family import Family, Shape
from igpipe.metrics.store import Store
from igpipe.metrics.text import SLICE, write_family
from tests.metrics.helpers import event, look, make, rule

HOSTILE = 'a\x1b[31m"b\\c\nd\u00a0界'


def family(shape: Shape, *series: tuple[tuple[str, ...], object]) -> Family:
    """Make a family with some series."""
    store = Store(100_000, 100_000, 0.0)
    made = store.family(shape)
    for texts, amount in series:
        store.add(made, texts[-1], texts, amount, now=0.0)
    return made


COUNTER = family(
    Shape("m_total", 'Things "done".\nOr \\ not.', "counter", ("pod", "node")),
    (("p", "n"), 3),
    (("q", "n"), 2.5),
)
HISTOGRAM = family(
    Shape("h_seconds", "Time.", "histogram", ("node",), ("0.5", "1.0")),
    (("n",), [4.25, 1, 2, 3]),
)
SLOTS = family(
    Shape("s_seconds", "Slots.", "histogram", ("node",), ("1e-06",), has_sum=False),
    (("n",), [1, 2]),
)


def text(made: Family, *, openmetrics: bool) -> str:
    """Write a family."""
    return b"".join(write_family(made, openmetrics=openmetrics)).decode()


def test_counter() -> None:
    """HELP is escaped; OpenMetrics names the family without _total."""
    lines = 'm_total{pod="p",node="n"} 3\nm_total{pod="q",node="n"} 2.5\n'
    assert text(COUNTER, openmetrics=False) == (
        '# HELP m_total Things "done".\\nOr \\\\ not.\n# TYPE m_total counter\n' + lines
    )
    assert text(COUNTER, openmetrics=True) == (
        '# HELP m Things \\"done\\".\\nOr \\\\ not.\n# TYPE m counter\n' + lines
    )


def test_histogram() -> None:
    """Buckets add up, sum and count follow."""
    assert text(HISTOGRAM, openmetrics=False) == (
        "# HELP h_seconds Time.\n# TYPE h_seconds histogram\n"
        'h_seconds_bucket{node="n",le="0.5"} 1\n'
        'h_seconds_bucket{node="n",le="1.0"} 3\n'
        'h_seconds_bucket{node="n",le="+Inf"} 6\n'
        'h_seconds_count{node="n"} 6\n'
        'h_seconds_sum{node="n"} 4.25\n'
    )


def test_slots_have_no_sum() -> None:
    """Where no sum is known none is made up."""
    assert text(SLOTS, openmetrics=True) == (
        "# HELP s_seconds Slots.\n# TYPE s_seconds histogram\n"
        's_seconds_bucket{node="n",le="1e-06"} 1\n'
        's_seconds_bucket{node="n",le="+Inf"} 3\n'
    )


def test_no_labels() -> None:
    """A series without labels is written with empty braces, which both formats allow."""
    store = Store(10, 10, 0.0)
    bare = store.family(Shape("bare_total", "Bare.", "counter", ()))
    store.add(bare, "", (), 7, now=0.0)
    assert text(bare, openmetrics=False).endswith("bare_total{} 7\n")


def test_no_series() -> None:
    """A family without series is not mentioned."""
    assert text(family(COUNTER.shape), openmetrics=False) == ""


def test_slices_are_small() -> None:
    """Many series come in many slices, with one header."""
    many = family(
        Shape("m_total", "", "counter", ("pod", "node")),
        *((((f"p{i}"), f"n{i % 7}"), 1) for i in range(5000)),
    )
    slices = list(write_family(many, openmetrics=False))
    assert len(slices) == 10
    assert max(part.count(b"\n") for part in slices) <= SLICE + 2
    assert b"".join(slices).count(b"# TYPE") == 1


def test_commits_between_slices_do_no_harm() -> None:
    """Series may be born while a scrape is being written."""
    metrics = make(rule())
    look(metrics, *[event(f"p{i}") for i in range(3000)], now=100.0)
    parts = metrics.write(100.0)
    first = next(parts)
    look(metrics, *[event(f"q{i}") for i in range(3000)], now=200.0)
    metrics.nodes([], 200.0)
    list(prometheus((first + b"".join(parts)).decode()))


def test_other_parsers_agree() -> None:
    """Both formats parse, with hostile labels, to what was counted."""
    metrics = make(
        rule(),
        rule("h_seconds", type="histogram", value="v", buckets=(1, 2)),
        rule("s_seconds", type="slots", value="latency", scale=1e-6),
    )
    look(metrics, event(comm=HOSTILE, v=1.5, latency=[1, 2, 3]), now=100.0)
    for openmetrics_format, parse in ((False, prometheus), (True, openmetrics)):
        exposition = b"".join(metrics.write(1e6, openmetrics=openmetrics_format)).decode()
        assert exposition.endswith("# EOF\n") is openmetrics_format
        found = {
            sample.labels["comm"]: sample.value
            for metric in parse(exposition)
            for sample in metric.samples
            if sample.name == "m_observed_total"
        }
        assert found == {'a\\x1b[31m"b\\c\nd\\xa0界': 1}
