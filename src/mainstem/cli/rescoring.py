"""`mainstem bench rescoring`: which samples a new version should score again."""

from typing import Annotated, Final

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption
from mainstem.printable import in_json

__all__ = ["rescoring"]

_BUDGETS: Final = (400, 800, 1600)


def rescoring(
    home: HomeOption = DEFAULT_HOME,
    *,
    budget: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Samples that a version may score again; may be given again."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each row as a JSON object in a line.")
    ] = False,
) -> None:
    """Compare choices of what to score again with scoring everything again.

    The home has one partition, and was replayed with a
    MAINSTEM_RESPONSES__RESCORE_BUDGET above its number of samples. Every choice
    is repeated from its history, without a model.
    """
    from mainstem.bench.rescoring import compare_rescoring, taken_up  # torch is slow to import
    from mainstem.bootstrap import open_store
    from mainstem.cli.tables import show  # rich is slow to import
    from mainstem.embedded.home import HomeFolder
    from mainstem.errors import StoreError
    from mainstem.settings import Standing

    with HomeFolder(home, create=False) as opened, open_store(opened.store_url) as store:
        versions = taken_up(store)
        if len(versions) < 2:
            msg = f"{str(home)!r} has no promoted round, so nothing was scored again; replay more"
            raise StoreError(msg)
        found = compare_rescoring(store, versions, Standing(), budget or _BUDGETS)
    if as_json:
        print("\n".join(in_json(row) for row in found))
        return
    show(tuple(found[0]), [tuple(row.values()) for row in found])
