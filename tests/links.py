"""Check the links of the documents: `python -m tests.links` exits with 1 if one leads nowhere.

It checks relative links, anchors, and paths of this repository in backticks. It opens no
connection, so it does not check links to other sites.
"""

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.pages import DOCUMENTS, ROOT, anchors, code_in_text, links

_PATH = re.compile(r"(src|streams|trainer|tests|docs)/[\w./-]*")


def dead(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere, each with its reason."""
    found = [(link, _fault(page, link)) for link in links(page)]
    found += [
        (path, "no such file or folder in the repository")
        for path in code_in_text(page)
        if _PATH.fullmatch(path) and not (ROOT / path).exists()
    ]
    return [f"{os.path.relpath(page, ROOT)}: {link!r}: {fault}" for link, fault in found if fault]


def _fault(page: Path, link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    to = page.parent / unquote(parts.path) if parts.path else page
    if not to.exists():
        return "no such file"
    if parts.fragment and (to.suffix != ".md" or parts.fragment not in anchors(to)):
        return f"no such heading in {to.name}"
    return ""


if __name__ == "__main__":
    faults = [fault for page in DOCUMENTS for fault in dead(page)]
    print("\n".join(faults) or f"links of {len(DOCUMENTS)} documents: all lead somewhere")
    sys.exit(bool(faults))
