"""`mainstem truth TRUTH`: a home's standings held against the truth of a simulated shop."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption
from mainstem.printable import in_json
from mainstem.settings import Settings

__all__ = ["truth"]


def truth(
    file: Annotated[Path, typer.Argument(metavar="TRUTH", help="What `mainstem simulate --truth` wrote.")],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """How much of what was called contradictory is wrong, how much of what is wrong was found, by kind of accident."""
    from mainstem.cli.asking import answers  # noqa: PLC0415
    from mainstem.cli.tables import show  # noqa: PLC0415 - rich is slow to import
    from mainstem.truth import JUDGED, compare  # noqa: PLC0415 - torch is slow to import

    [(_, judged)] = answers(home, store, [JUDGED])
    found = compare(judged, file, Settings.from_environment(os.environ))
    if as_json:
        print(in_json(found))
        return
    print(f"{found['wrong']:,} of {found['samples']:,} labels are wrong")
    print(f"AUROC of the evidence, wrong against sound: {_of(found['auroc'])}")
    print(
        f"called contradictory: {found['called']:,}; of these sound: {_share(found['false_discoveries'])}; "
        f"of the wrong ones called: {_share(found['found'])}"
    )
    print(f"best AUC that any model could reach on these items: {_of(found['optimum'])}")
    if found["unknown"]:
        print(
            f"{found['unknown']:,} samples of the home are not in this truth; is it the truth of the log that was replayed?"
        )
    for name in ("by_kind", "by_label"):
        rows = found[name]
        print()
        if rows:
            show(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _of(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
