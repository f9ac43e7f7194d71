"""A home of an older mainstem, with smaller samples, answers questions but accepts no replay."""

from pathlib import Path

import msgspec
import pytest

from mainstem.embedded.asked import Asked
from mainstem.embedded.home import HomeFolder
from mainstem.errors import HomeError
from mainstem.opening import open_loop
from mainstem.store import Store
from tests.loop.test_known_log import LINES, SETTINGS, Quiet, replay


def test_a_replay_does_not_go_on_from_joiners_that_knew_less(tmp_path: Path) -> None:
    """A replay refuses an old home unchanged, names the way out, and starts anew when told to."""
    log, home = tmp_path / "log.jsonl", tmp_path / "home"
    log.write_bytes(b"".join(LINES))
    first = replay(log, home)
    with HomeFolder(home, create=False) as opened:
        at = opened.checkpoint()
        assert at
        opened.save(
            msgspec.structs.replace(
                at, snapshots=[msgspec.structs.replace(one, form=0) for one in at.snapshots]
            )
        )
    with pytest.raises(
        HomeError,
        match=r"\(form 0 there, 2 now: .*\); the history still answers .* --from-start begins",
    ):
        replay(log, home)
    with Store(f"chdb://{home / 'history'}", make=False) as store:
        assert store.ask("SELECT count() > 0 FROM samples_now") == (
            ("greater(count(), 0)",),
            [(1,)],
        )
    with open_loop(
        str(log), home, SETTINGS, Quiet(), Asked(learn=False, from_start=True), environment={}
    ) as loop:
        loop.run()
    assert first == replay(log, home)
