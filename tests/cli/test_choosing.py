"""A bench takes the streams that are named."""

import pytest

from mainstem.bench.cost.streams import CostStream
from mainstem.cli.choosing import chosen
from mainstem.errors import SettingError
from tests.conftest import Run

STREAMS = [CostStream(name=name) for name in ("plain shop", "shop, a fifth wrong", "excerpt")]


@pytest.mark.parametrize(
    ("only", "places"),
    [
        (None, [0, 1, 2]),
        ([], [0, 1, 2]),
        (["shop"], [0, 1]),
        (["excerpt", "plain"], [0, 2]),
        (["fifth wrong"], [1]),
    ],
)
def test_words_take_the_streams_whose_names_hold_them(
    only: list[str] | None, places: list[int]
) -> None:
    """One of several words is enough, the order stays, and no words take everything."""
    assert [STREAMS[place] for place in places] == chosen(STREAMS, only)


def test_words_that_name_no_stream_are_refused_with_the_names() -> None:
    """The error lists the streams there are."""
    with pytest.raises(SettingError, match="'plain shop', 'shop, a fifth wrong', 'excerpt'"):
        chosen(STREAMS, ["Shop"])


@pytest.mark.parametrize("bench", ["cost", "evidence", "selection"])
def test_benches_refuse_what_they_do_not_have(bench: str, mainstem: Run) -> None:
    """Benches that have streams say in one line which there are."""
    done = mainstem("bench", bench, "--quick", "--only", "no such stream")
    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert "no stream is named like ['no such stream']; the streams are " in done.stderr
