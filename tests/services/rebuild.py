"""Measure how fast a scoring worker rebuilds its columns from a ClickHouse server.

python -m tests.services.rebuild --samples 1000000

The server holds one partition with two visits of each sample and one judgement.
"""

import argparse
import hashlib
import os
import resource
import tempfile
import time
from pathlib import Path

from mainstem.scoring import ScoringWorker
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.streams.local.clickhouse import LocalClickHouse

_ID = "toUUID(UUIDNumToString(sipHash128(number)))"
_FACTS = f"""{_ID} AS sample_id, 0 AS label_version, 0 AS partition, number AS offset,
    fromUnixTimestamp64Milli(
        1300000000000 + intDiv(number * 7776000000, {{samples:UInt64}}), 'UTC'
    ) AS event_time"""
_FILL = (
    # Two visits each, at versions 0 and 1. Norms and margins follow the id, so every run has the
    # same values.
    f"""INSERT INTO responses (sample_id, label_version, partition, offset, event_time, version,
                               label, part, norm, scale, loss, margin)
        SELECT {_FACTS}, version, number % 2, if(number % 25 = 0, 'canary', 'stream'),
               sipHash64(number, version) % 1000 / 250, 2 + version, 0.5,
               sipHash64(number, version, 1) % 1000 / 500 - 1
        FROM numbers({{samples:UInt64}}) ARRAY JOIN [0, 1] AS version""",
    f"""INSERT INTO moves (sample_id, label_version, partition, event_time, judgement, version,
                           before, standing, reason, importance, margin, visits)
        SELECT sample_id, label_version, partition, event_time, {{samples:UInt64}}, 1, '',
               if(offset % 3 = 0, 'core', 'edge'), if(offset % 3 = 0, 'important', 'undecided'),
               1, 0, 2
        FROM (SELECT {_FACTS} FROM numbers({{samples:UInt64}}))""",
    f"""INSERT INTO draws SELECT 1, {_ID}, 0, 'core', 0.001
        FROM numbers({{samples:UInt64}}) WHERE number % 83 = 0""",
    "INSERT INTO versions VALUES (0, NULL, 0, 1, 'first', '', ''), (1, 0, 0, 1, 'better', '', '')",
)


def main() -> None:
    """Fill a server, rebuild, and print time and memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--samples", type=int, default=1_000_000)
    samples = arguments.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        server = LocalClickHouse(
            Path(folder), binary=os.environ.get("MAINSTEM_TEST_CLICKHOUSE_BINARY")
        )
        server.start()
        try:
            with Store(server.url("rebuild")) as store:
                _fill(store, samples)
                _rebuild(store, samples)
        finally:
            server.stop()


def _fill(store: Store, samples: int) -> None:
    begun = time.monotonic()
    for statement in _FILL:
        store.execute(statement, samples=samples)
    print(f"{samples:,} samples written in {time.monotonic() - begun:.1f} s", flush=True)


def _rebuild(store: Store, samples: int) -> None:
    before, begun = _peak(), time.monotonic()
    worker = ScoringWorker(store, Settings(), (), trusted=False)
    worker.rebuild({0: samples}, 1, {0: 0})
    took, columns = time.monotonic() - begun, worker.rows[0]
    visits, drawn, core = (
        int(columns["visits"].sum()),
        int(columns["drawn"].sum()),
        int((columns["standing"] == 1).sum()),
    )
    print(
        f"{len(columns):,} samples, {visits:,} visits, {drawn:,} drawn, {core:,} core "
        f"rebuilt in {took:.1f} s"
    )
    print(f"peak memory {_peak():,.0f} MB, {before:,.0f} MB of it before the rebuild")
    digest = hashlib.blake2b(digest_size=8)
    for name in columns:
        digest.update(columns[name].tobytes())
    print(f"columns {digest.hexdigest()}")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
