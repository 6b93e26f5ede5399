"""A look: what one gadget observed on one node in one session, until it is committed. Pure."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from igpipe.metrics.compile import Cells, Key, Observe, Observer, Read, Tag
from igpipe.metrics.labels import OTHER
from igpipe.metrics.plan import Plan
from igpipe.metrics.slots import parser
from igpipe.model import Event, Source

Texts = tuple[str, ...]
Tagger = Callable[[Sequence[Any]], Tag]
SHOWN: Final = 1025
"""Characters of a value that matter: a label has 1024 at most, and tells if there were more."""


class Pending:
    """
    Cells that wait for the commit, at most *limit* of them and one folded one for each condition.

    Beyond the limit an event's labels fold, so that its numbers still count. *tag* makes a cell's
    tag of the values that the plan has for others; a folded cell has none. Of values that are
    longer than anybody shows the beginning is kept: events with the same one share a cell.
    """

    def __init__(self, plan: Plan, limit: int, tag: Tagger, *, since_048: bool) -> None:
        self.cells: Cells = {}
        self.folded = 0
        self.observer = Observer(plan, self.cells, self._new, parser(since_048=since_048))
        self._limit = limit
        self._tag = tag
        self._also = plan.also
        self._labels = len(plan.key)
        self._width = plan.width

    def _new(self, key: Key) -> list[Any]:
        key = tuple(map(_cut, key))
        if key in self.cells:
            return self.cells[key]
        if len(self.cells) < self._limit:
            tag = self._tag([key[place] for place in self._also]) if self._also else None
        else:
            self.folded += 1
            key, tag = (OTHER,) * self._labels + key[self._labels :], None
            if key in self.cells:
                return self.cells[key]
        cell = self.cells[key] = [*[0] * self._width, tag]
        return cell


class Look:
    """
    One gadget's stay on one node; nothing of it is exported before it is committed.

    ``observe(event)`` takes one event. Read the attribute anew for each event or block: it is
    replaced when the events' shape changes. It raises one of decode's FOREIGN, before anything
    changed, for an event that is no use.

    One that is not *weighted* was asked for: it stands for nothing but itself.

    It returns a tag, so that who asked for fields (*also* of Metrics) need not read them: what
    *tag* of ``Metrics.begin`` made of their values, or None if that is not known.

    ``read(lines, tags, *beside)`` does the same for lines, of which it reads no more than
    is needed. To the lists that it is given it adds each line's tag, and its numbers *beside* (of
    Metrics), one list for each. It returns the first line that has another shape, for which nothing
    changed; None when there are no more. There is no ``read`` without numbers beside, or for events
    that must be seen as a whole.
    """

    observe: Observe
    read: Read | None

    def __init__(
        self,
        source: Source,
        counting: Pending | None,
        current: Pending | None,
        *,
        weighted: bool = True,
    ) -> None:
        self.source = source
        self.weighted = weighted
        self.counting = counting
        self.current = current
        self.account = Account()
        self.comms: dict[Texts, set[str]] = {}
        self.arrays = 0
        self.fresh = False
        self._observers: dict[str, Observe] = {}
        self.observe, self.read = _ignore, None
        if counting is not None:
            counting.observer.start(lambda *both: self._publish("counting", *both))
        if current is not None:
            current.observer.start(lambda *both: self._publish("current", *both))

    def snapshot(self) -> None:
        """Begin an array: its rows replace those of the one before in gauges."""
        self.arrays += 1
        self.fresh = True
        if self.current is not None:
            self.current.cells.clear()

    def _publish(self, part: str, observe: Observe, read: Read | None) -> None:
        self._observers[part] = observe
        self.observe, self.read = observe, read
        if len(self._observers) > 1:
            self.observe, self.read = self._both, None

    def _both(self, event: Event) -> Tag:
        self._observers["current"](event)
        return self._observers["counting"](event)


class Account:
    """
    What one look or more gathered for an estimate: by rule and labels, how much.

    ``cuts`` is how many of ``events`` ended their look's exposure.
    """

    __slots__ = ("amounts", "cuts", "events", "exposure")

    def __init__(self) -> None:
        self.amounts: dict[str, dict[Texts, float]] = {}
        self.events = 0
        self.cuts = 0
        self.exposure = 0.0

    def add(self, rule: str, texts: Texts, amount: float, limit: int) -> None:
        """Add to an amount; a rule has at most *limit* of them, and one that takes the rest."""
        amounts = self.amounts.setdefault(rule, {})
        if texts not in amounts and len(amounts) >= limit:
            texts = (OTHER,) * len(texts)
        amounts[texts] = amounts.get(texts, 0) + amount

    def absorb(self, other: "Account", limit: int) -> None:
        """Add all that *other* gathered."""
        self.events += other.events
        self.cuts += other.cuts
        self.exposure += other.exposure
        for rule, amounts in other.amounts.items():
            for texts, amount in amounts.items():
                self.add(rule, texts, amount, limit)


def _cut(value: Hashable) -> Hashable:
    return value[:SHOWN] if value.__class__ is str and len(value) > SHOWN else value


def _ignore(_event: Event) -> Tag:
    """Take events of a gadget that no rule asks for."""
    return None
