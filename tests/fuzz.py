"""A million mutated events go through decode, validate and join: no error, each one counted.

python -m tests.fuzz --events 1000000 --seed 0

It prints the results, and ends at the first error with the line that caused it. The events come in
runs, each with its own settings. Unmutated events in between give the mutated ones something to
answer, repeat and revise. The results are compared with counts made without the joiner.
"""

import argparse
import json
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec

from mainstem.events import Event, Item, Refusal, decode, encode, read_lines
from mainstem.events.survey import belongs_to_items
from mainstem.join import Catalogue, LedgerRow, imbalance, new_counts
from mainstem.settings import Join, Settings
from mainstem.validate import validate
from tests.fuzz_joins import DAY, Lane, Tally, Told, is_refused
from tests.mutations import PRIVATE, Base, mutated_lines, purchases_base, shown_base

MINUTE, HOUR = 60_000, 3_600_000
PARTITIONS = (1, 3)
UNKEPT = rb'"(?:user_id|session_id|USER_ID|SESSION_ID|userId|email|e-mail)"\s*:\s*"(?:[^"\\]|\\.)*"'
RULES = 14


def fuzz(events: int, seed: int, size: int, tally: Tally) -> Iterator[int]:
    """Run until enough events were mutated, and yield the number of each run that succeeded."""
    bases = (shown_base(), purchases_base())
    with tempfile.TemporaryDirectory() as folder:
        number = 0
        while (left := events - tally.mutations.total()) > 0:
            # The year 2100 makes every later event late, so it has runs of its own.
            far = number % 10 in {2, 5}
            try:
                _run(
                    Random(f"{seed}-{number}"),
                    bases[number % 2],
                    min(size, left),
                    Path(folder, "log.jsonl"),
                    tally,
                    far=far,
                )
            except BaseException as error:
                error.add_note(f"in run {number} of seed {seed}, size {size}")
                raise
            yield number
            number += 1


def _run(chance: Random, base: Base, size: int, path: Path, tally: Tally, *, far: bool) -> None:
    written = b"".join(
        line + b"\n" for line in mutated_lines(chance, base, size, tally.mutations, far=far)
    )
    path.write_bytes(written)
    lines = list(read_lines(path))
    assert len(lines) == written.count(b"\n")
    told = [_decoded(raw) for raw in lines]
    settings = _settings(chance, base.questions)
    tally.lines += len(lines)
    tally.decoded.update(type(one).__name__.lower() for one in told)
    tally.reasons.update(
        f"{re.sub('[0-9]+', 'N', one.path)} {_shape(one.reason)}"
        for one in told
        if isinstance(one, Refusal)
    )
    # An item event is no fault of a log. Bytes that are not UTF-8 are one, even in an unknown
    # field that decode skips.
    refused = [is_refused(one, settings) and not isinstance(one, Item) for one in told]
    unusable = sum(bad or not _is_utf8(raw) for bad, raw in zip(refused, lines, strict=True))
    _validate(path, settings, base.newest + DAY, len(lines), unusable, tally)
    catalogue, events = _routed(chance, lines, told, tally)
    for partitions in PARTITIONS:
        Lane(partitions, settings, catalogue, chance, tally).join(events)


def _settings(chance: Random, questions: str) -> Settings:
    return Settings(
        join=Join(
            questions=questions,
            label_window=chance.choice((10 * MINUTE, HOUR)),
            grace=chance.choice((0, MINUTE, 10 * MINUTE)),
            revision_window=chance.choice((0, 3 * HOUR, DAY)),
            dedupe_horizon=chance.choice((HOUR, DAY)),
            history_length=chance.choice((0, 1, 5)),
            history_window=chance.choice((HOUR, 90 * DAY)),
            negatives=chance.choice((0, 1, 3)),
        )
    )


def _shape(reason: str) -> str:
    """Return a reason without the parts that differ from line to line."""
    return re.sub(
        r"Invalid value '.*'", "Invalid value '…'", re.sub(r"\d+", "N", reason), flags=re.DOTALL
    )


def _decoded(raw: bytes) -> Event | Refusal:
    """Return the event, checked on the wire and in a snapshot, or the nameless refusal."""
    try:
        event = decode(raw)
        if isinstance(event, Refusal):
            assert event.reason
            assert event.path.startswith("$")
            assert '"user_id":' not in event.body
            assert '"session_id":' not in event.body
            assert not event.body or isinstance(json.loads(event.body), dict)
            # A mutation may have put a user id into any other field.
            elsewhere = re.sub(UNKEPT, b"", raw)
            assert all(
                name.encode() in elsewhere
                for name in PRIVATE.findall(event.reason + event.path + event.body)
            )
        else:
            assert decode(encode(event)) == event
            in_snapshot = msgspec.msgpack.encode(event)
            assert msgspec.msgpack.decode(in_snapshot, type=Event) == event
    except BaseException as error:
        error.add_note(f"at line {raw[:5000]!r}")
        raise
    return event


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _validate(
    path: Path, settings: Settings, now: int, lines: int, unusable: int, tally: Tally
) -> None:
    """Assert that the validator reports every rule and refuses the expected number of lines."""
    found = validate(lambda: read_lines(path), settings, now)
    counts = {finding.rule: finding.counts for finding in found.findings}
    assert (lines, RULES) == (found.lines, len(counts))
    refused = (
        counts["fields"]["refused"]
        + counts["encoding"]["not_utf8"]
        + counts["encoding"]["too_long"]
    )
    assert unusable == refused
    tally.statuses.update(f"{finding.rule} {finding.status}" for finding in found.findings)


def _routed(
    chance: Random, lines: list[bytes], told: list[Event | Refusal], tally: Tally
) -> tuple[Catalogue, list[Told]]:
    """Return the whole catalogue, and topic `events` with stray items and empty offsets."""
    catalogue, events, counts = Catalogue(), list[Told](), new_counts()
    for raw, event in zip(lines, told, strict=True):
        if belongs_to_items(event, raw):
            counts["rejected" if isinstance(event, Refusal) else "accepted"] += 1
            if isinstance(event, Item):
                catalogue.add(event)
        if not belongs_to_items(event, raw) or chance.random() < 0.05:
            events.append(event)
        if chance.random() < 0.002:
            events.append(None)
    read = sum(belongs_to_items(event, raw) for raw, event in zip(lines, told, strict=True))
    assert (
        imbalance(LedgerRow(topic="items", partition=0, block=0, next_offset=read, counts=counts))
        == 0
    )
    tally.ledger["accepted"] += counts["accepted"]
    return catalogue, events


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def main() -> None:
    """Run and print the results."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--size", type=int, default=10_000, help="mutated events in each run")
    given = arguments.parse_args()
    tally, begun = Tally(), time.monotonic()
    for number in fuzz(given.events, given.seed, given.size, tally):
        if number % 10 == 9:
            taken = time.monotonic() - begun
            print(
                f"{tally.mutations.total():,} mutated of {tally.lines:,} lines in {taken:.0f} s",
                flush=True,
            )
    taken, mutated = time.monotonic() - begun, tally.mutations.total()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{mutated:,} mutated events, {tally.lines:,} lines, {taken:.0f} s, "
        f"{mutated / taken:,.0f} mutated events a second"
    )
    print(f"peak memory {memory:,.0f} MiB; joiners restored {tally.restores:,} times")
    for name in ("mutations", "decoded", "ledger", "most", "samples", "statuses"):
        print(f"{name}: {_told(getattr(tally, name))}")
    common = _told(Counter(dict(tally.reasons.most_common(10))))
    print(f"{len(tally.reasons):,} reasons of refusal, the most common: {common}")
    assert not tally.missing, f"no event in {tally.missing}; raise --events"


if __name__ == "__main__":
    main()
