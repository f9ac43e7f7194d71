"""HTML that is safe by construction: text is escaped unless it is markup already."""

import html
from collections.abc import Iterable, Sequence
from typing import Final

from mainstem.printable import printable

__all__ = ["Markup", "element", "joined", "log_text", "table"]

_VOID: Final = ("br", "meta")


class Markup(str):
    """Text that is HTML already, so that nobody escapes it again."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """An element with its children and attributes.

    Args:
        name: name of the element, such as `p`.
        children: markup, which stays as it is, and other text, which is escaped. Characters that
            are invisible or turn the direction of writing become visible escapes.
        attributes: attributes by name. An underscore stands for a hyphen, and one at the end is
            dropped, so that `class_` means `class`.

    Example:
        >>> element("p", "a < b", element("b", "!"), class_="told")
        '<p class="told">a &lt; b<b>!</b></p>'
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(_number(value))}"'
        for key, value in attributes.items()
    )
    inside = "".join(one if isinstance(one, Markup) else _escaped(one) for one in children)
    return Markup(f"<{name}{told}>{inside}" + ("" if name in _VOID else f"</{name}>"))


def joined(parts: Iterable[str]) -> Markup:
    """Put markup and text one after the other; text is escaped.

    Example:
        >>> joined(["a & b", element("br")])
        'a &amp; b<br>'
    """
    return Markup("".join(one if isinstance(one, Markup) else _escaped(one) for one in parts))


def log_text(text: str) -> Markup:
    """Text that came with a log, set apart, so that its writing direction stays its own.

    Example:
        >>> log_text("<script>")
        '<bdi>&lt;script&gt;</bdi>'
    """
    return element("bdi", text)


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """A table with a caption; the first cell of each row names the row.

    Args:
        caption: what the table shows.
        header: a name for each column.
        rows: cells of each row, text or markup.

    Example:
        >>> table("sets", ["set"], [["core"]])[:44]
        '<div class="wide"><table><caption>sets</capt'
    """
    head = element("tr", *(element("th", one, scope="col") for one in header))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", one) for one in rest))
        for first, *rest in rows
    ]
    inside = (element("caption", caption), element("thead", head), element("tbody", *body))
    return element("div", element("table", *inside), class_="wide")


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
