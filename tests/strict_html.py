"""A strict reader of HTML pages: every element is closed in order, and nothing runs or loads."""

from html.parser import HTMLParser
from typing import Any

VOID = {"br", "meta"}
RUNS_OR_LOADS = {
    *("audio", "base", "embed", "form", "frame", "iframe", "img", "image", "input", "link"),
    *("object", "script", "source", "track", "use", "video", "foreignobject"),
}
LOADING = {"action", "background", "href", "poster", "src", "srcset", "xlink:href"}


class Page(HTMLParser):
    """A page that was read whole.

    Attributes:
        elements: name and attributes of each element, in order.
        texts: the text in each kind of element, by the element's name.
        faults: what is wrong, in words.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.texts: dict[str, list[str]] = {}
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{name}> stays open" for name in self._open]
        ids = [one["id"] for _, one in self.elements if "id" in one]
        self.faults += [
            f"two elements are called {one!r}" for one in set(ids) if ids.count(one) > 1
        ]
        for _, one in self.elements:
            for key in ("aria-labelledby", "aria-describedby"):
                if one.get(key, (ids or [None])[0]) not in ids:
                    self.faults.append(f"{key} names no element: {one[key]!r}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if len(given) < len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag in RUNS_OR_LOADS or LOADING & given.keys():
            self.faults.append(f"<{tag} {given}> runs or loads something")
        self.faults += [f"<{tag}> has {key}" for key in given if key.startswith("on")]
        self.elements.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes another element")

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"unknown declaration {data!r}")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment: {data!r}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"an instruction: {data!r}")

    def names(self) -> set[str]:
        """Return the names of all elements."""
        return {name for name, _ in self.elements}
