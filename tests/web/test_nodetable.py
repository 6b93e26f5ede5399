"""The table of nodes, a page at a time."""

from igpipe.web.nodetable import ROWS, Choice, nodes
from tests.web.fakes import make_status
from tests.web.fleet import fleet
from tests.web.reader import Reader


def shown(reader: Reader) -> list[str]:
    """Return the nodes that are listed, in order."""
    return [text for text in reader.texts if text.startswith("node-")]


def test_those_seen_least_lately_come_first() -> None:
    """Never seen before all others, with every gadget that never looked."""
    reader = Reader(nodes(fleet(30).shown, Choice()))
    never, rest = shown(reader)[:3], shown(reader)[3:]
    assert {name[:9] for name in never} == {"node-0009", "node-0019", "node-0029"}
    assert rest == sorted(rest, reverse=True)
    assert reader.row(never[0])[0] == "never"


def test_pages_have_all_nodes_once() -> None:
    """And lead to each other; a page beyond the last is the last."""
    status = fleet(2 * ROWS + 1).shown
    pages = [Reader(nodes(status, Choice(page=page))) for page in (1, 2, 3)]
    assert len({name for page in pages for name in shown(page)}) == 2 * ROWS + 1
    assert "/?node=&page=2#nodes" in pages[0].loads
    assert pages[1].texts[-4:] == ["first", " ", "previous", " "] or "previous" in pages[1].texts
    assert shown(Reader(nodes(status, Choice(page=99)))) == shown(pages[2])


def test_a_part_of_the_name_chooses() -> None:
    """The choice stays in the field and in the ways to other pages."""
    reader = Reader(nodes(fleet(300).shown, Choice("pool-1")))
    assert "100 of 300 nodes, page 1 of 2." in reader.texts
    assert reader.values("value") == ["pool-1"]
    assert "/?node=pool-1&page=2#nodes" in reader.loads


def test_a_node_that_left_is_listed_while_its_looks_are_known() -> None:
    """Its looks are still counted somewhere."""
    assert "n1" in Reader(nodes(make_status(nodes={}), Choice())).texts
