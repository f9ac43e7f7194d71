"""The newest readable snapshot of a joiner is used, and never a snapshot of another join."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest

from mainstem.errors import SettingError
from mainstem.join import Joiner, Snapshot
from mainstem.settings.comparing import that_affect
from mainstem.settings.urls import files_at, url_of
from mainstem.streams.snapshots import Snapshots
from tests.join.shop import KEY, purchase, shelf, short, view

ODD = "a b#c?d%20e[f]*ü"


@pytest.fixture(params=["file", "file with odd characters", "memory", "memory with odd characters"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of the folder of snapshots."""
    folder = ODD if "odd" in request.param else "snapshots"
    if request.param.startswith("file"):
        yield url_of("file", tmp_path / folder)
        return
    yield f"memory://{tmp_path.name}/{folder}"
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def snapshots(url: str, **more: Any) -> Snapshots:
    """Return the snapshots of a deployment, as a new process opens them."""
    return Snapshots(url, "shop", short(**more))


def snapshot_at(offset: int, partition: int = 0) -> Snapshot:
    """Return the snapshot of a joiner at an offset."""
    joiner = Joiner(partition, short(), shelf(), KEY)
    for number in range(offset):
        list(
            joiner.step(
                number, view(f"v{number}", number) if number % 2 else purchase(f"p{number}", number)
            )
        )
    return joiner.snapshot()


def files_of(url: str) -> dict[str, bytes]:
    """Return the files in the folder of partition 0 by name."""
    files, root = files_at(url)
    folder = f"{root}/shop/events-00000"
    return {
        str(path).rsplit("/", 1)[-1]: files.cat_file(path) for path in sorted(files.find(folder))
    }


def put(url: str, name: str, content: bytes) -> None:
    """Write a file into the folder of partition 0."""
    files, root = files_at(url)
    files.makedirs(f"{root}/shop/events-00000", exist_ok=True)
    files.pipe_file(f"{root}/shop/events-00000/{name}", content)


def test_a_snapshot_of_a_joiner_that_knew_less_is_refused(url: str) -> None:
    """A snapshot from before states had a form is refused with the next step."""
    before = msgspec.structs.replace(snapshot_at(3), form=0)
    snapshots(url).save(before)
    with pytest.raises(
        SettingError,
        match=r"\(form 0 there, 2 now: .*\); to begin anew, give a new topic prefix",
    ):
        snapshots(url).newest(0)


def test_the_newest_snapshot_is_given(url: str) -> None:
    """The snapshot with the highest offset is given whole, in whatever order they were saved."""
    for offset in (20, 3, 100, 7):
        snapshots(url).save(snapshot_at(offset))
    assert snapshot_at(100) == snapshots(url).newest(0)


def test_there_may_be_none(url: str) -> None:
    """A partition without snapshots has no newest one, even if another partition has."""
    assert snapshots(url).newest(0) is None
    snapshots(url).save(snapshot_at(5, partition=1))
    assert snapshots(url).newest(0) is None
    assert snapshot_at(5, partition=1) == snapshots(url).newest(1)


def test_another_deployment_has_its_own(url: str) -> None:
    """Two deployments that share a URL share no snapshot."""
    snapshots(url).save(snapshot_at(5))
    assert Snapshots(url, "other", short()).newest(0) is None


def test_a_remembered_listing_does_not_hide_a_newer_one(url: str) -> None:
    """A snapshot that another owner has written since the last listing is found."""
    mine, theirs = snapshots(url), snapshots(url)
    mine.save(snapshot_at(5))
    assert snapshot_at(5) == mine.newest(0)
    theirs.save(snapshot_at(9))
    assert snapshot_at(9) == mine.newest(0)


def test_three_are_kept(url: str) -> None:
    """The newest three of five snapshots stay, and no temporary file does."""
    for offset in (10, 20, 30, 40, 50):
        snapshots(url).save(snapshot_at(offset))
    assert [f"{offset:020d}" for offset in (30, 40, 50)] == list(files_of(url))


def test_an_old_owner_does_not_push_out_newer_ones(url: str) -> None:
    """A snapshot older than three others is not kept and removes none of them."""
    for offset in (20, 30, 40, 10):
        snapshots(url).save(snapshot_at(offset))
    assert [f"{offset:020d}" for offset in (20, 30, 40)] == list(files_of(url))


def test_two_owners_write_the_same_bytes(url: str) -> None:
    """Two owners that save the same offset write the same bytes."""
    snapshots(url).save(snapshot_at(30))
    before = files_of(url)
    snapshots(url).save(snapshot_at(30))
    assert before == files_of(url)


def test_a_half_written_newest_is_passed_over(url: str) -> None:
    """A newest snapshot that is cut off anywhere is skipped, as is a temporary file."""
    snapshots(url).save(snapshot_at(10))
    snapshots(url).save(snapshot_at(20))
    whole = files_of(url)[f"{20:020d}"]
    put(url, f"{30:020d}.half", whole)
    for size in range(0, len(whole), 7):
        put(url, f"{20:020d}", whole[:size])
        assert snapshot_at(10) == snapshots(url).newest(0)


@pytest.mark.parametrize("flipped", [0x01, 0x80, 0xFF])
def test_a_corrupt_newest_is_passed_over(tmp_path: Path, flipped: int) -> None:
    """A newest snapshot with any one byte changed is skipped."""
    url = f"file://{tmp_path}"
    snapshots(url).save(snapshot_at(10))
    snapshots(url).save(snapshot_at(20))
    whole = files_of(url)[f"{20:020d}"]
    for place in range(len(whole)):
        put(url, f"{20:020d}", whole[:place] + bytes([whole[place] ^ flipped]) + whole[place + 1 :])
        assert snapshot_at(10) == snapshots(url).newest(0)


def test_where_none_can_be_read_there_is_none(url: str) -> None:
    """A file that is no snapshot is skipped despite its name."""
    put(url, f"{20:020d}", b"rubbish")
    assert snapshots(url).newest(0) is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", 7),
        ("questions", "purchases"),
        ("label_window", 101),
        ("grace", 11),
        ("revision_window", 1001),
        ("dedupe_horizon", 501),
        ("history_length", 4),
        ("history_window", 5001),
        ("negatives", 1),
        ("partitions", 2),
    ],
)
def test_snapshots_of_another_join_are_refused(tmp_path: Path, setting: str, value: object) -> None:
    """Snapshots made with another setting of the join are refused with both values."""
    url = f"file://{tmp_path}"
    snapshots(url).save(snapshot_at(10))
    with pytest.raises(SettingError, match=rf"\([a-z]+\.{setting} .* there, {value!r}(ms)? now\)"):
        snapshots(url, **{setting: value}).newest(0)


def test_settings_that_no_sample_depends_on_may_change(tmp_path: Path) -> None:
    """Snapshots are used after a change of a setting that no sample depends on."""
    snapshots(f"file://{tmp_path}").save(snapshot_at(10))
    assert snapshot_at(10) == snapshots(f"file://{tmp_path}", snapshot_every=7).newest(0)


def test_snapshots_of_another_key_or_topic_are_refused(tmp_path: Path) -> None:
    """Snapshots of another key or topic are refused without printing the key."""
    url = f"file://{tmp_path}"
    own = {"key": b"secret", "topic": "shop.events"}
    Snapshots(url, "shop", short(), **own).save(snapshot_at(10))
    assert snapshot_at(10) == Snapshots(url, "shop", short(), **own).newest(0)
    for more, name in (
        ({"key": b"other"}, "MAINSTEM_PSEUDONYM_KEY"),
        ({"topic": "x.events"}, "MAINSTEM_EVENTS"),
    ):
        with pytest.raises(SettingError, match=name) as caught:
            Snapshots(url, "shop", short(), **own | more).newest(0)
        assert "secret" not in str(caught.value)
    Snapshots(url, "old", short()).save(snapshot_at(10))
    assert snapshot_at(10) == Snapshots(url, "old", short(), **own).newest(0)


def kept_as(url: str, settings: dict[str, Any], snapshot: bytes) -> None:
    """Write a snapshot as another release of mainstem may have written it."""
    digest = hashlib.blake2b(
        msgspec.msgpack.encode(settings) + snapshot, digest_size=16
    ).hexdigest()
    put(
        url,
        f"{10:020d}",
        msgspec.msgpack.encode({"settings": settings, "digest": digest, "snapshot": snapshot}),
    )


def test_snapshots_from_before_settings_had_groups_are_taken(url: str) -> None:
    """Snapshots with setting names from before groups existed are used."""
    settings = short(classes="a,b")
    old = {
        name.partition(".")[2]: value
        for name, value in that_affect(settings, "join").items()
        if "classes" not in name
    }
    kept_as(url, old, msgspec.msgpack.encode(snapshot_at(10)))
    assert snapshot_at(10) == Snapshots(url, "shop", settings).newest(0)
    with pytest.raises(
        SettingError,
        match=r"join.grace 10ms there, 11ms now\); set MAINSTEM_JOIN__GRACE=10ms to go on",
    ):
        Snapshots(url, "shop", settings.but({"join.grace": 11})).newest(0)


def test_a_snapshot_that_lacks_what_is_needed_now_says_how_to_begin_anew(url: str) -> None:
    """A snapshot from another release that lacks fields is refused with the next step."""
    kept_as(url, that_affect(short(), "join"), msgspec.msgpack.encode({"partition": 0}))
    with pytest.raises(
        SettingError,
        match=r"another release .*; to begin anew, give a new topic prefix",
    ):
        snapshots(url).newest(0)
