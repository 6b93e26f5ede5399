"""Faults of a configuration, as people read them."""

import pytest

from igpipe.config.faults import nearest
from igpipe.config.load import parse
from igpipe.errors import ConfigError


def faults(text: str) -> list[str]:
    """Load *text*, which must be refused, and return the lines of the refusal."""
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f")
    return str(caught.value).split("\n")


SINKS = "loki or elasticsearch or otlp or file or stdout"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rotation: {period: 1x}",
         'f:1: rotation.period: expected a duration such as "90s", "5m" or "1h30m", got "1x"'),
        ("rotation: {cooldown: -1}", "f:1: rotation.cooldown: expected at least 0, got -1"),
        ("rotation: {period: .inf}",
         "f:1: rotation.period: expected a finite number, got Infinity"),
        ("limits: {line: 1 KiBi}",
         'f:1: limits.line: expected a size such as "256KiB" or "1GiB", got "1 KiBi"'),
        ("gadgets: [A]",
         'f:1: gadgets[0]: expected text like ^[a-z][a-z0-9]*(_[a-z0-9]+)*$, got "A"'),
        ("gadgets: [{interval: 5s}]", "f:1: gadgets[0].name: missing"),
        ("gadgets: []", "f:1: gadgets: expected at least 1 of them, got []"),
        ("gadgets: [a, a]", 'f:1: gadgets: a listed twice, expected each once, got ["a", "a"]'),
        ("sinks: [{name: x}]", f"f:1: sinks[0].type: expected {SINKS}"),
        ("sinks: [{type: zz}]", f'f:1: sinks[0].type: expected {SINKS}, got "zz"'),
        ("log: {level: loud}",
         "f:1: log.level: expected 'debug', 'info', 'warning' or 'error', got \"loud\""),
        ("session: {cpu_request: yes}", "f:1: session.cpu_request: expected text, got true"),
        ("web: {port: 70000}", "f:1: web.port: expected at most 65535, got 70000"),
        ("web: [1]", "f:1: web: expected a mapping, got [1]"),
        ("metrics: {rules: [{name: a, gadgets: [x], where: {a: 1.5}}]}",
         "f:1: metrics.rules[0].where.a: "
         "expected text or a whole number or true or false or a list, got 1.5"),
        ("metrics: {rules: [{name: a, gadgets: [x], buckets: [1, 0.5]}]}",
         "f:1: metrics.rules[0].buckets: must rise, got [1, 0.5]"),
        ("metrics: {rules: [{name: a, gadgets: [x], type: sum}]}",
         "f:1: metrics.rules[0].value: missing, a sum needs the field it adds"),
        ("rollout: {previous_gadget_images: {trace_exce: x}}\ngadgets: [trace_exec]",
         "f:1: rollout.previous_gadget_images: no gadget 'trace_exce', expected of trace_exec, "
         "got a mapping"),
        ("session: {duration: 2h}",
         'f:1: session.duration: must be shorter than rotation.period, got "2h"'),
    ],
)  # fmt: skip
def test_a_fault_names_place_value_and_expectation(text: str, fault: str) -> None:
    """One wrong value makes one line that tells how to set it right."""
    assert faults(text) == [fault]


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    """Faults of YAML, keys and values are told together, each with its line."""
    text = "web:\n  prt: 1\nlog: {level: x}\nnodes:\n  exclude: a\nlog: {}\n"
    assert [fault.split(": ")[0] for fault in faults(text)] == ["f:2", "f:5", "f:6"]


def test_all_that_does_not_fit_together_comes_at_once() -> None:
    """Sections that are fine alone are held against each other, each fault with its own line."""
    text = (
        "gadgets: [trace_exec, trace_exec]\nsession: {duration: 2h}\n"
        "sinks: [{type: stdout, name: a}, {type: stdout, name: a}]\n"
    )
    assert [fault.split(",")[0] for fault in faults(text)] == [
        "f:1: gadgets: trace_exec listed twice",
        "f:2: session.duration: must be shorter than rotation.period",
        "f:3: sinks: two have one name",
    ]


def test_a_bad_item_is_not_told_again_as_a_short_list() -> None:
    """An echo of another fault is left out."""
    assert len(faults("gadgets: [A]")) == 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("wep: {}", "did you mean web?"),
        ("web: {prot: 1}", "did you mean port?"),
        ("sinks: [{type: loki, name: a, url: 'http://a', urls: b}]", "did you mean url?"),
        ("sinks: [{type: file, name: a, path: b, patch: b}]", "did you mean path?"),
        ("metrics: {rules: [{name: a, gadgets: [b], bucket: []}]}", "did you mean buckets?"),
        ("log: {zzzzzz: 1}", "known: format, level"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(text: str, hint: str) -> None:
    """The suggestion is made of the keys that this place knows."""
    (fault,) = faults(text)
    assert fault.endswith(f": unknown key, {hint}")


@pytest.mark.parametrize(
    "text",
    [
        "sinks: [{type: loki, name: a, url: 'http://a', password: hunter2}]",
        "sinks: [{type: loki, name: a, url: 'http://a', headers: {Authorization: [hunter2]}}]",
        "sinks: [{type: loki, name: a, url: 'user:hunter2@loki'}]",
        "sinks: [{type: loki, name: a, url: 'http://a', token_file: [hunter2]}]",
        "sinks: [{type: zz, name: a, password: hunter2}]",
    ],
)
def test_secrets_are_not_told(text: str) -> None:
    """What may be a secret does not appear in a message."""
    assert "hunter2" not in "".join(faults(text))


def test_values_are_escaped_and_cut() -> None:
    """A message cannot drive a terminal, nor flood it."""
    (fault,) = faults(f'web: {{port: "\\e[31m{"x" * 1000}"}}')
    assert "\x1b" not in fault
    assert len(fault) < 200


def test_nearest_lists_what_is_known_when_nothing_is_near() -> None:
    """Without a near word the choices are listed in order."""
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", []) == ""
