"""Read a page as a browser would, and refuse what is not well formed."""

from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "input", "hr", "link"}
INLINE = {"a", "bdi", "code", "span", "strong"}
# What we write; a student's text can add nothing to it.
KNOWN = set(
    "html head meta title style body main nav section article h1 h2 h3 h4 p ul li dl dt dd div "
    "span strong a bdi code pre table caption thead tbody tr th td details summary figure "
    "figcaption svg desc rect line text script".split()
)


class Page(HTMLParser):
    """Tags, attributes and visible text of a page.

    Attributes:
        tags: (tag, attributes) in order.
        text: What is read on the page, white space collapsed.
    """

    def __init__(self, source: str):
        super().__init__()
        self.source, self.open, self.tags, self._texts = source, [], [], []
        self.feed(source)
        self.close()
        assert self.open == [], "every tag is closed"
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag, attrs):
        assert tag in KNOWN, tag
        assert len({name for name, _ in attrs}) == len(attrs), "no attribute twice"
        self.tags.append((tag, dict(attrs)))
        self._part(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self._part(tag)

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self._texts.append(data)

    def _part(self, tag):
        # Blocks and cells stand apart; words in a line do not.
        if tag not in INLINE:
            self._texts.append(" ")

    def all(self, tag: str) -> list[dict]:
        """Return the attributes of every such tag."""
        return [attrs for name, attrs in self.tags if name == tag]

    def values(self, attribute: str) -> list[str]:
        """Return every value of the attribute."""
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]

    @property
    def ids(self) -> Counter:
        """Count the ids."""
        return Counter(self.values("id"))

    @property
    def headings(self) -> list[int]:
        """Return the levels of the headings in order."""
        return [int(tag[1]) for tag, _ in self.tags if tag in ("h1", "h2", "h3", "h4")]
