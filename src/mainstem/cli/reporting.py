"""`mainstem report`: the report of a home or a deployment as one HTML file."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption, StoreOption, asker
from mainstem.cli.notes import note
from mainstem.cli.whole_files import is_stdout, open_whole
from mainstem.embedded.home import PAGE
from mainstem.embedded.recorded import SETTINGS
from mainstem.errors import SettingError
from mainstem.settings import Settings
from mainstem.settings.urls import url_of

__all__ = ["report", "write_page"]


def report(
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the page; - is stdout.")
    ] = Path(PAGE),
    versions: Annotated[
        str | None,
        typer.Option(
            "--versions",
            envvar="MAINSTEM_VERSIONS",
            help="With --store, where that deployment keeps its versions.",
        ),
    ] = None,
) -> None:
    """Write a report of the history as one HTML file, which loads nothing.

    It shows quality and sets over event time, versions and rounds, the ledger
    and the fingerprints. A browser opens it without a network.
    """
    write_page(home, store, output, versions)
    if not is_stdout(output):
        note(f"the report is in {output}")


def write_page(home: Path, store: str | None, output: Path, versions: str | None = None) -> None:
    """Write the report of a history.

    Args:
        home: the home.
        store: URL of a store to ask instead; None asks the home.
        output: path of the page; - is standard output.
        versions: URL of the versions of that store.

    Raises:
        HomeError: if the home is missing or has no history yet.
        ImportSourceError: if the page cannot be written.
        SettingError: if the page would be a foreign file in a home.
    """
    from mainstem.answers.page.page import page_about  # torch is slow to import
    from mainstem.bootstrap import open_versions
    from mainstem.cli.tables import working  # rich is slow to import
    from mainstem.embedded.again import settings_of

    _check(output)
    settings = Settings.read(os.environ) if store else settings_of(home, os.environ)
    with working("asking the history"):
        where = versions if store else url_of("file", home.resolve() / "versions")
        opened = open_versions(where) if where else None
        page = page_about(home, store, settings, asker(home, store), opened)
    with open_whole(output, kind="report") as file:
        file.write(page.encode())


def _check(output: Path) -> None:
    """Refuse a name that no file of a home has, because the home would be refused with it."""
    place = output.resolve()
    for folder in place.parents if not is_stdout(output) else ():
        if (folder / SETTINGS).exists() and (folder / "history").exists():
            if place == folder / PAGE:
                return
            msg = (
                f"{str(folder)!r} is a home, which holds no other files; write the report to "
                f"{str(folder / PAGE)!r}, or outside of the home"
            )
            raise SettingError(msg)
