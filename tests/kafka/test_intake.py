"""Members of a group take batches, and uncommitted records go to the next member."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mainstem.kafka import Broker, Intake
from tests.kafka.topic import make, produce

Place = tuple[str, int]


@pytest.fixture
def broker(events_url: str) -> Broker:
    """A broker with two topics: `items` of one partition and `samples` of two."""
    made = Broker.parse(events_url)
    make(made, "items")
    make(made, "samples", partitions=2)
    for partition in (0, 1):
        produce(
            made,
            made.topic("samples"),
            [b"%d-%d" % (partition, number) for number in range(20)],
            partition,
        )
    produce(made, made.topic("items"), [b"item"])
    return made


@pytest.fixture
def member(broker: Broker) -> Iterator[Callable[..., Intake]]:
    """Make members of one group, and close them at the end."""
    with ExitStack() as stack:

        def join(**more: Any) -> Intake:
            options = {"most": 7, "session_timeout": 6.0, **more}
            return stack.enter_context(Intake(broker, "sink", ("items", "samples"), **options))

        yield join


def take(*members: Intake, count: int) -> list[list[tuple[str, int, int]]]:
    """Take batches by turns until there are `count` records; return their places by member."""
    taken: list[list[tuple[str, int, int]]] = [[] for _ in members]
    for _ in range(120):
        for number, one in enumerate(members):
            taken[number] += [
                (topic, record.partition, record.offset) for topic, record in one.next_batch()
            ]
        if sum(map(len, taken)) >= count:
            break
    return taken


def settle(*members: Intake) -> None:
    """Poll and discard records until every place has an owner and every member a place."""
    for _ in range(120):
        for one in members:
            one.next_batch()
        owned = [place for one in members for place in one.owned]
        if len(owned) == len(set(owned)) == 3 and all(one.owned for one in members):
            return
    pytest.fail(f"the group did not settle: {[one.owned for one in members]}")


ALL = {("items", 0, 0)} | {
    ("samples", partition, offset) for partition in (0, 1) for offset in range(20)
}


def test_batches_have_every_record_with_the_short_name_of_its_topic(
    member: Callable[..., Intake],
) -> None:
    """Batches have every record once and in order, with the short name of the topic."""
    one = member()
    [taken] = take(one, count=len(ALL))
    assert sorted(ALL) == sorted(taken)
    assert list(range(20)) == [
        offset for topic, partition, offset in taken if (topic, partition) == ("samples", 1)
    ]
    assert {("items", 0), ("samples", 0), ("samples", 1)} == set(one.owned)
    assert dict.fromkeys(one.owned, 0) == one.lag()


def test_what_was_not_committed_comes_again(broker: Broker) -> None:
    """The next member gets what was not committed, and after a commit only what is new."""
    options = {"most": 7, "session_timeout": 6.0}
    with Intake(broker, "sink", ("items", "samples"), **options) as first:
        take(first, count=30)
    with Intake(broker, "sink", ("items", "samples"), **options) as second:
        [taken] = take(second, count=len(ALL))
        assert ALL == set(taken)
        assert second.commit()
        produce(broker, broker.topic("samples"), [b"new"], 1)
        take(second, count=1)
    with Intake(broker, "sink", ("items", "samples"), **options) as third:
        assert [[("samples", 1, 20)]] == take(third, count=1)


def test_a_note_is_kept_with_what_was_committed(broker: Broker) -> None:
    """A commit moves only its own places, and keeps a note with each."""
    options = {"most": 7, "session_timeout": 6.0}
    with Intake(broker, "sink", ("items", "samples"), **options) as first:
        take(first, count=len(ALL))
        assert first.commit({("samples", 1): (13, '{"position":40}')})
    with Intake(broker, "sink", ("items", "samples"), **options) as second:
        [taken] = take(second, count=len(ALL) - 13)
        assert {one for one in ALL if one[:2] != ("samples", 1) or one[2] >= 13} == set(taken)
        assert (13, '{"position":40}') == second.last_commit(("samples", 1))
        assert (0, "") == second.last_commit(("samples", 0))
        assert second.commit()
        assert (20, "") == second.last_commit(("samples", 0))


def test_two_members_share_the_places(member: Callable[..., Intake]) -> None:
    """A second member takes over some places with their uncommitted records, and none is lost."""
    one = member()
    take(one, count=len(ALL))
    two = member()
    first, second = take(one, two, count=len(ALL))
    assert ALL == {*first, *second}
    assert first
    assert second
    assert not {place[:2] for place in first} & {place[:2] for place in second}
    assert 3 == len({*one.owned, *two.owned})


def test_who_lost_the_places_cannot_commit(member: Callable[..., Intake]) -> None:
    """A member that has lost its places cannot commit: it returns False and moves nothing."""
    one = member(poll_timeout=3.0)
    take(one, count=len(ALL))
    two = member()
    # `one` asks for no more batches, so its places go to `two`
    for _ in range(120):
        two.next_batch()
        if len(two.owned) == 3:
            break
    assert not one.commit()
    assert 0 == two.committed(("samples", 0))
    two.seek(("samples", 0), 0)
    assert two.commit()


def test_owners_are_told_in_the_callers_thread_and_may_ask_the_broker(
    member: Callable[..., Intake],
) -> None:
    """`assigned` and `revoked` run within `next_batch` and may call `committed` and `seek`."""
    told: list[tuple[str, list[Place], str]] = []
    stood: dict[Place, int] = {}

    def assigned(places: list[Place]) -> None:
        told.append(("assigned", sorted(places), threading.current_thread().name))
        for place in places:
            stood[place] = one.committed(place)
            if place[0] == "samples":
                one.seek(place, 15)

    def revoked(places: list[Place]) -> None:
        told.append(("revoked", sorted(places), threading.current_thread().name))

    one = member(assigned=assigned, revoked=revoked)
    [taken] = take(one, count=11)
    assert {("items", 0, 0)} | {
        ("samples", partition, offset) for partition in (0, 1) for offset in range(15, 20)
    } == set(taken)
    assert {("items", 0): 0, ("samples", 0): 0, ("samples", 1): 0} == stood
    assert one.commit()
    assert 20 == one.committed(("samples", 0))
    settle(one, member())
    here = threading.current_thread().name
    everything = [("items", 0), ("samples", 0), ("samples", 1)]
    assert ("assigned", everything, here) == next(event for event in told if event[1])
    assert ("revoked", everything, here) in told
    assert {here} == {thread for _, _, thread in told}
    assert sorted(one.owned) == [event for event in told if event[0] == "assigned"][-1][1]


def test_the_generation_grows_with_every_change_of_owners(member: Callable[..., Intake]) -> None:
    """Each change of owners raises the generation."""
    one = member()
    settle(one)
    before = one.generation
    two = member()
    settle(one, two)
    assert before < one.generation == two.generation


def test_lag_is_what_was_not_given_out(broker: Broker, member: Callable[..., Intake]) -> None:
    """The lag of an owned place is the number of records not yet given out."""
    one = member()
    take(one, count=len(ALL))
    produce(broker, broker.topic("samples"), [b"new"] * 3, 1)
    assert {("items", 0): 0, ("samples", 0): 0, ("samples", 1): 3} == one.lag()


def test_a_member_that_stays_keeps_its_places_and_goes_on_after_its_batch(
    member: Callable[..., Intake],
) -> None:
    """Staying longer than the time between two polls loses no place and takes no record."""
    one = member(poll_timeout=3.0)
    [held] = take(one, count=1)
    for _ in range(8):
        one.stay()
    assert one.commit()
    assert 3 == len(one.owned)
    [rest] = take(one, count=len(ALL) - len(held))
    assert sorted(ALL) == sorted([*held, *rest])


def test_a_member_that_stays_hears_of_new_owners(member: Callable[..., Intake]) -> None:
    """When a member joins, the one that stays is told, and uncommitted records come again."""
    told: list[list[Place]] = []
    one = member(assigned=told.append)
    take(one, count=len(ALL))
    told.clear()
    two = member()
    second: list[tuple[str, int, int]] = []
    for _ in range(60):
        one.stay()
        second += [(topic, record.partition, record.offset) for topic, record in two.next_batch()]
        if told and second:
            break
    assert told
    first, more = take(one, two, count=len(ALL) - len(second))
    assert ALL == {*first, *second, *more}
