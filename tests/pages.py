"""Read the pages for users: blocks of code, code in the text, links and headings.

The info string of a block says how a test uses it:

    ```csv visits.csv       a file of that name in the folder where the page's commands run
    ```console              `$ ` begins a command; all commands of a page run in one shell, in order
    ```python               a program that runs in its place among the commands
    ```sql                  a question to the home that the page is about
    ```text                 the output of the block before it
    ```sh                   commands that need servers or time: parsed here, run in other tests
    ```json, ```text WORDS  shown only
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
"""What users read."""
DOCUMENTS = [*PAGES, *(ROOT / f"{name}.md" for name in ("BENCHMARKS", "CHANGELOG", "CONTRIBUTING"))]
"""What anybody reads."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the rest of its info string, and its content."""

    language: str
    name: str
    content: str

    def commands(self) -> list[str]:
        """Return the commands of a console or shell block, with continued lines joined."""
        lines = self.content.replace("\\\n", "").splitlines()
        return [line.removeprefix("$ ") for line in lines if line.strip()]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = [token for token in _tokens(page) if token.type == "fence"]
    infos = [token.info.partition(" ") for token in found]
    return [
        Block(language, name, token.content)
        for token, (language, _, name) in zip(found, infos, strict=True)
    ]


def shown_after(page: Path, *languages: str) -> list[tuple[Block, str]]:
    """Return the blocks in some languages that show an output, with that output."""
    found = blocks(page)
    return [
        (before, block.content)
        for before, block in pairwise(found)
        if before.language in languages and block.language == "text" and not block.name
    ]


def code_in_text(page: Path) -> list[str]:
    """Return the code in backticks in the text and the tables of a page."""
    return [one.content for one in _inline(page) if one.type == "code_inline"]


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and images."""
    return [
        str(one.attrs.get("href") or one.attrs["src"])
        for one in _inline(page)
        if one.type in {"link_open", "image"}
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    tokens, seen = _tokens(page), dict[str, int]()
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            text = "".join(child.content for child in token.children or ())
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            seen[name] = seen.get(name, -1) + 1
            if seen[name]:
                seen[f"{name}-{seen[name]}"] = 0
    return set(seen)


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(page.read_text())
