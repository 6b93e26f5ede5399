"""What documents tell of an event is the same, read as usual or brought from any shape."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import asdict

from igpipe.sinks.ecsread import (
    UNREADABLE,
    Facts,
    bring,
    read_creds,
    read_facts,
    read_runtime,
)
from tests.sinks.test_elasticformat import NAMES, RECORDINGS


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_tell_the_same(name: str) -> None:
    """Of each recorded event; those of the gadgets that print most are of the usual shape."""
    gadget = name.partition("/")[2]
    read, usual = read_facts(gadget), 0
    for text in events(name):
        try:
            facts = read(text)
        except UNREADABLE:
            continue
        usual += 1
        assert told(facts) == told(bring(text, gadget))
    assert usual or name not in _USUAL


def told(facts: Facts) -> dict[str, object]:
    """Read also what is kept as text."""
    proc = asdict(facts.proc)
    if facts.proc.creds is not UNSET:
        proc["creds"] = read_creds(facts.proc.creds)
    return {**asdict(facts), "proc": proc, "runtime": read_runtime(facts.runtime)}


def events(name: str) -> list[bytes]:
    """Read the events of a recording, rows one by one."""
    lines = (RECORDINGS / f"{name}.jsonl").read_bytes().splitlines()
    values = [orjson.loads(line) for line in lines]
    rows = [row for value in values for row in (value if isinstance(value, list) else [value])]
    return [orjson.dumps(row) for row in rows]


fields = st.dictionaries(
    st.sampled_from(
        ["proc", "runtime", "comm", "pid", "creds", "uid", "parent", "ppid", "tid", "src", "dst"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers(-1, 2**31) | st.text(max_size=3),
        lambda inner: st.dictionaries(
            st.sampled_from(["comm", "pid", "tid", "uid", "gid", "user", "parent", "creds"]),
            inner,
            max_size=5,
        ),
        max_leaves=8,
    ),
)


@given(fields)
def test_any_object_tells_something(event: object) -> None:
    """Whatever stands where a process or a container is expected."""
    assert isinstance(bring(orjson.dumps(event), "trace_exec"), Facts)


_USUAL = {f"image/trace_{name}" for name in ("bind", "dns", "exec", "fsslower", "open", "tcp")}
