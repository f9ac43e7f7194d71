"""Make the tables of `docs/settings.md` from the settings themselves.

python -m tests.settings_page           prints the page
python -m tests.settings_page --write   writes the page
"""

import sys
from pathlib import Path

from mainstem.settings import GROUPS, known, variable

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
MARK = "<!-- The tables below are written by `python -m tests.settings_page --write`. -->\n"


def tables() -> str:
    """Return a section for each group, with a row for each of its settings."""
    lines = []
    for group, kind in GROUPS.items():
        lines += ["", f"### {group}", "", kind.__doc__ or "", ""]
        lines += ["| variable | default | affects | meaning |", "|---|---|---|---|"]
        for name, field in known().items():
            if name.startswith(f"{group}."):
                default = field.means.text_of(field.default) or "(empty)"
                cells = (f"`{variable(name)}`", default, field.means.affects, field.means.meaning)
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page: the hand-written text above the mark, then the tables."""
    return PAGE.read_text().split(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page())
    else:
        print(page(), end="")
