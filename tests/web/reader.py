"""Reads a page as a browser does."""

from html.parser import HTMLParser

# What of a page's attributes holds no text of a node's choice, but says what is loaded.
LOADS = ("src", "href", "action", "formaction", "data", "poster", "srcset")


class Reader(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    def row(self, first: str) -> list[str]:
        """Return the texts after the first *first*, as many as a row may have."""
        at = self.texts.index(first)
        return self.texts[at + 1 : at + 20]

    def values(self, name: str) -> list[str]:
        """Return what an attribute is, wherever it stands."""
        return [value or "" for key, value in self.attributes if key == name]

    @property
    def loads(self) -> list[str]:
        """What the page points to."""
        return [value for name in LOADS for value in self.values(name)]
