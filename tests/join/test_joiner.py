"""The joiner's offsets, duplicates, refusals, ticks, ledger, snapshots and pseudonyms."""

import msgspec
import pytest

from mainstem.events import Item, Refusal, Tick, decode
from mainstem.join import BLOCK, Joiner, LedgerRow, Rejection, Snapshot, digest_of, pseudonym
from tests.join.shop import (
    KEY,
    cart,
    click,
    impression,
    join,
    joiner,
    search,
    shelf,
    short,
    step,
    view,
)

ITEM = Item(event_id="i", event_timestamp=1, item_id="cup", title="cup")
LOG = [
    search("s", 990, "tea", session_id="bob-session", user_id="bob-user"),
    impression("q", 1000, "cup", "mug", session_id="bob-session", user_id="bob-user"),
    click("c", 1050, "mug", session_id="bob-session", user_id="bob-user"),
    view("w", 1060, "pot", session_id="bob-session", user_id="bob-user"),
    cart("a", 1300, "cup", session_id="bob-session", user_id="bob-user"),
    view("x", 1400, "mug", session_id="bob-session", user_id="bob-user"),
]


@pytest.mark.parametrize("offset", [0, 2, 7])
def test_an_offset_out_of_turn_is_an_error(offset: int) -> None:
    """An event can be neither skipped nor folded twice, and trying leaves the state as it was."""
    partition = joiner()
    step(partition, LOG[0])
    before = partition.snapshot()
    with pytest.raises(ValueError, match=f"partition 0 expects offset 1; got {offset}"):
        list(partition.step(offset, LOG[1]))
    assert before == partition.snapshot()


def test_what_asks_must_be_settled() -> None:
    """A joiner does not guess which events are questions."""
    with pytest.raises(ValueError, match="cannot use questions='auto'"):
        Joiner(0, short(questions="auto"), shelf(), KEY)


def test_a_duplicate_changes_only_its_count() -> None:
    """Copies within the horizon, at any distance, are counted as duplicates and nothing more."""
    once, twice = join(*LOG), join(*[event for event in LOG for _ in range(2)], *LOG[3:])
    assert once.samples == twice.samples
    assert {**once.counts, "duplicate": 9} == twice.counts


@pytest.mark.parametrize(("time", "counts"), [(1510, {"seen"}), (1511, set())])
def test_an_event_id_is_forgotten_by_event_time(time: int, counts: set[str]) -> None:
    """An id is forgotten once the watermark is more than the horizon past its event."""
    partition = joiner()
    step(partition, view("q", 1000), Tick(event_timestamp=time))
    assert counts == ({"seen"} if partition._state.seen else set())


def test_what_is_still_known_is_a_duplicate_beyond_the_horizon() -> None:
    """Copies of a remembered question and its outcome are duplicates beyond the horizon too."""
    log = [view("q", 1000), click("c", 1050), Tick(event_timestamp=1900)]
    joined = join(*log, view("q", 1000), click("c", 1050))
    assert join(*log).samples == joined.samples
    assert joined.counts == {**join(*log).counts, "duplicate": 2}


def test_a_refused_event_is_rejected_where_it_was() -> None:
    """A refusal is put out with its place and reason, is counted, and moves no watermark."""
    refusal = decode(
        b'{"type":"view","event_id":"e","user_id":"bob","event_timestamp":5000,"item_id":7}'
    )
    assert isinstance(refusal, Refusal)
    joined = join(LOG[0], refusal, *LOG[1:])
    assert [(found.topic, found.partition, found.offset) for found in joined.rejections] == [
        ("events", 0, 1)
    ]
    [found] = joined.rejections
    assert (refusal.reason, "$.item_id") == (found.reason, found.path)
    assert (pseudonym(KEY, refusal.digest), refusal.body) == (found.digest, found.body)
    assert join(*LOG).samples == joined.samples
    assert {**join(*LOG).counts, "rejected": 1} == joined.counts


def test_an_item_among_the_events_is_rejected() -> None:
    """An item event in topic `events` is rejected, and the catalogue does not learn it."""
    catalogue = shelf("mug")
    partition = joiner(catalogue)
    (rejection,) = step(partition, ITEM)
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.path) == ("an item belongs to topic `items`", "$.type")
    assert (catalogue.as_of("cup", 10), partition.watermark) == (None, -11)


def test_a_tick_only_moves_time() -> None:
    """A tick closes what its event time has passed, and counts as a tick."""
    partition = joiner()
    assert [] == step(partition, view("q", 1000), Tick(event_timestamp=1110))
    assert ["cup"] == [sample.item_id for sample in step(partition, Tick(event_timestamp=1111))]
    counts = partition.ledger_row().counts
    assert (counts["tick"], counts["expired"], partition.watermark) == (2, 1, 1101)


def test_time_never_goes_back() -> None:
    """The watermark keeps the largest event time, whatever follows."""
    partition = joiner()
    step(partition, view("q", 1000), Tick(event_timestamp=10), view("r", 500))
    assert partition.watermark == 990


def test_a_row_of_the_ledger_comes_at_every_block() -> None:
    """Every 1,000 offsets give a ledger row with the counts so far, and the end gives one too."""
    log = [view(f"v{number}", 1000 + number) for number in range(2 * BLOCK + 1)]
    rows = join(*log).rows
    assert [(row.block, row.next_offset) for row in rows] == [(0, 1000), (1, 2000), (2, 2001)]
    assert [row.counts["question"] for row in rows] == [1000, 2000, 2001]
    assert {("events", 0)} == {(row.topic, row.partition) for row in rows}


def test_closing_leaves_the_joiner_as_it_was() -> None:
    """A final tick is folded into a copy and not counted, so that a log may grow afterwards."""
    partition = joiner()
    step(partition, *LOG[:3])
    before = partition.snapshot()
    closed, outputs = partition.closed(10_000)
    assert before == partition.snapshot()
    assert 2 == sum(not isinstance(output, LedgerRow) for output in outputs)
    assert (3, 0) == (closed.next_offset, closed.ledger_row().counts["tick"])


def test_a_snapshot_goes_on_where_it_was_taken() -> None:
    """A joiner restored anywhere in the log gives the rest of the outputs and the same bytes."""
    whole = joiner()
    outputs = [step(whole, event) for event in LOG]
    for place in range(len(LOG) + 1):
        first, second = joiner(), joiner()
        step(first, *LOG[:place])
        second.restore(first.snapshot())
        assert place == second.next_offset
        assert outputs[place:] == [step(second, event) for event in LOG[place:]]
        assert whole.snapshot() == second.snapshot()


def test_a_snapshot_of_another_partition_is_refused() -> None:
    """A joiner refuses the snapshot of another partition."""
    with pytest.raises(
        ValueError, match=r"cannot go on from the snapshot \(partition 0 there, 3 here\)"
    ):
        Joiner(3, short(), shelf(), KEY).restore(joiner().snapshot())


def test_a_snapshot_of_before_is_refused() -> None:
    """A snapshot without a form, written before forms existed, is refused."""
    whole = msgspec.msgpack.decode(msgspec.msgpack.encode(joiner().snapshot()))
    before = msgspec.convert(
        {name: value for name, value in whole.items() if name != "form"}, Snapshot
    )
    with pytest.raises(ValueError, match=r"cannot go on from the snapshot \(form 0 there, 2 now"):
        Joiner(0, short(), shelf(), KEY).restore(before)


def test_no_plain_name_is_kept() -> None:
    """No snapshot and no sample ever holds a plain user or session id, only pseudonyms."""
    partition = joiner()
    for event in LOG:
        kept = msgspec.msgpack.encode([*step(partition, event), partition.snapshot()])
        assert b"bob" not in kept
        assert pseudonym(KEY, "bob-user").encode() in kept
    closed, outputs = partition.closed(10_000)
    assert b"bob" not in msgspec.msgpack.encode([*outputs, closed.snapshot()])


def test_a_pseudonym_needs_its_key() -> None:
    """A pseudonym is the HMAC-SHA-256 of a name under a key, and another key gives another."""
    # RFC 4231, test case 2
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert known == pseudonym(b"Jefe", "what do ya want for nothing?")
    assert known != pseudonym(b"Joan", "what do ya want for nothing?")


def test_the_key_changes_pseudonyms_and_nothing_else() -> None:
    """Sample ids and digests do not depend on the key."""
    given = []
    for key in (b"one", b"two"):
        partition = Joiner(0, short(), shelf(), key)
        given.append([*step(partition, *LOG), *partition.closed(10_000)[1][:-1]])
    ours, theirs = (
        [(sample.sample_id, digest_of(sample)) for sample in samples] for samples in given
    )
    assert ours == theirs
    assert {sample.user for sample in given[0]}.isdisjoint({sample.user for sample in given[1]})
