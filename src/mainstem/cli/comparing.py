"""`mainstem truth TRUTH`: the standings of a home compared with the truth of a simulated shop."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption
from mainstem.errors import StoreError
from mainstem.printable import in_json
from mainstem.settings import Settings

__all__ = ["truth"]


def truth(
    file: Annotated[
        Path,
        typer.Argument(metavar="TRUTH", help="The file that `mainstem simulate --truth` wrote."),
    ],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare what was called contradictory with the labels that are wrong in a simulated shop.

    It says how many calls are right and how many wrong labels were found, by
    kind of accident, and which share of core, edge and noise is wrong.
    """
    from mainstem.asking import answers
    from mainstem.bench.truth import compare  # torch is slow to import
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.store.judged import JUDGED_SAMPLES  # numpy is slow to import

    [(_, judged)] = answers(home, store, [JUDGED_SAMPLES.sql])
    if not judged:
        msg = "no sample of this history has been judged; `mainstem replay LOG` judges samples"
        raise StoreError(msg)
    found = compare(JUDGED_SAMPLES.typed(judged), file, Settings.read(os.environ))
    if not found["samples"]:
        msg = (
            f"none of the {found['unknown']:,} samples is in {str(file)!r}; give the truth of the "
            "log that was replayed"
        )
        raise StoreError(msg)
    if as_json:
        print(in_json(found))
        return
    print(f"{found['wrong']:,} of {found['samples']:,} labels are wrong")
    print(
        "AUROC of the evidence, how often it ranks a wrong label above a sound one (.5 is chance): "
        f"{_auroc(found)}"
    )
    if found["auroc"] is not None:
        print(f"the same within each label of the log: {_within(found)}")
    print("; ".join(_called(found)))
    if found["optimum"] is not None:
        print(f"best AUC that any model could reach on these items: {found['optimum']:.3f}")
    if found["unknown"]:
        print(
            f"{found['unknown']:,} samples of the home are not in this truth; is it the truth of "
            "the log that was replayed?"
        )
    for name, title in (
        ("by_standing", "wrong labels by standing"),
        ("by_kind", "by kind of accident"),
        ("by_label", "by label"),
    ):
        if rows := found[name]:
            print(f"\n{title}")
            show(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _auroc(found: dict[str, Any]) -> str:
    if found["auroc"] is not None:
        return f"{found['auroc']:.3f}"
    return (
        "not known, because no label is wrong"
        if not found["wrong"]
        else "not known, because no label is sound, or none has evidence"
    )


def _within(found: dict[str, Any]) -> str:
    return "; ".join(
        f"{label}: {'not known' if auroc is None else f'{auroc:.3f}'}"
        for label, auroc in found["auroc_within_label"].items()
    )


def _called(found: dict[str, Any]) -> Iterator[str]:
    yield f"called contradictory: {found['called']:,}"
    if found["called"]:
        yield f"share of these that is sound: {found['false_discoveries']:.1%}"
    if found["wrong"]:
        yield f"share of the wrong labels that is called: {found['found']:.1%}"
