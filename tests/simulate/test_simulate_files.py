"""The simulated shop on disk: reproducible bytes, bounded memory, and a readable truth file."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from dataclasses import asdict
from io import BytesIO

import pytest

from mainstem.errors import LogError
from mainstem.simulate import Shop, TruthOfQuestion, read_truth, simulate
from tests.simulate.simulated import make

BYTES = """
import hashlib, sys
from io import BytesIO
from mainstem.simulate import Shop, simulate
log, truth = BytesIO(), BytesIO()
simulate(Shop(users=50, items=100, days=12, seed=9), log, truth)
sys.stdout.write(hashlib.sha256(log.getvalue() + truth.getvalue()).hexdigest())
"""


def test_the_same_seed_gives_the_same_bytes_in_every_process() -> None:
    """A seed gives known bytes whatever the hash seed, and another seed gives others."""
    found = {
        subprocess.run(
            [sys.executable, "-c", BYTES],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("0", "1", "random")
    }
    log, truth = BytesIO(), BytesIO()
    simulate(Shop(users=50, items=100, days=12, seed=10), log, truth)
    assert {"ab8db22e78bcf06b5452c73fff1280a9bd63fce2a4a7170602fa483d3032bc8b"} == found
    assert hashlib.sha256(log.getvalue() + truth.getvalue()).hexdigest() not in found


@pytest.mark.parametrize(
    ("shop", "events", "begins"),
    [
        ({"seed": 0}, 20_000, "ccbdca101b6d6c73"),
        ({"seed": 7, "plain": True, "turned_over": 0.2, "items": 400}, 8000, "0bdcc482fceade9e"),
        ({"seed": 5, "catalogue": "excerpt"}, 8000, "de88f679243db157"),
    ],
)
def test_a_shop_without_wrong_shares_has_the_log_that_it_always_had(shop, events, begins) -> None:
    """Shops that name no share of fitting items or of wrong labels keep their bytes."""
    log = BytesIO()
    simulate(Shop(**shop), log, events=events)
    assert begins == hashlib.sha256(log.getvalue()).hexdigest()[:16]


def test_wrong_shares_give_the_same_bytes_and_are_in_the_truth() -> None:
    """The turned labels are the same in every run, and the truth names the shares."""
    shop = Shop(users=100, days=3, fitting=0.2, wrong_yes=0.4, wrong_no_of="category=mugs:0.05")
    runs = []
    for _ in range(2):
        log, truth = BytesIO(), BytesIO()
        simulate(shop, log, truth)
        runs.append((log.getvalue(), truth.getvalue()))
    assert runs[0] == runs[1]
    head = json.loads(runs[0][1].splitlines()[0])
    assert {"fitting": 0.2, "wrong_yes": 0.4, "wrong_no_of": "category=mugs:0.05"} == {
        name: value for name, value in head["shop"].items() if name.startswith(("fit", "wrong"))
    }


class _Nowhere(BytesIO):
    """A file that counts writes and keeps none."""

    count = 0

    def write(self, line) -> int:
        self.count += 1
        return len(line)


def _peak(events: int) -> int:
    """Return the peak memory, in bytes, of simulating this many events."""
    log = _Nowhere()
    tracemalloc.start()
    simulate(Shop(users=20, days=1000, sessions=4), log, _Nowhere(), events=events)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert events <= log.count < 1.1 * events
    return peak


def test_memory_does_not_grow_with_the_events() -> None:
    """Memory does not grow with events once a fortnight's returns are pending."""
    # 25,000 events that were kept would take several megabytes
    assert _peak(40_000) < _peak(15_000) + 1_000_000


def test_the_truth_begins_with_the_shop() -> None:
    """The first line holds all parameters, so that the shop can be made again."""
    made = make()
    shop = Shop(**made.head.shop)
    assert asdict(shop) == made.head.shop
    log = BytesIO()
    simulate(shop, log)
    assert made.lines == log.getvalue().splitlines()


def test_a_packed_truth_is_read_like_a_plain_one(tmp_path) -> None:
    """A packed truth file is recognised by its bytes."""
    made = make(days=1)
    truth = BytesIO()
    simulate(Shop(**made.head.shop), BytesIO(), truth)
    path = tmp_path / "truth.jsonl.gz"
    path.write_bytes(gzip.compress(truth.getvalue()))
    head, *told = read_truth(path)
    assert made.head == head
    assert list(made.questions.values()) == [
        one for one in told if isinstance(one, TruthOfQuestion)
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b'{"type":"tick","event_timestamp":5}\n', "line 1 of .* does not belong in a truth file"),
        (
            b'{"question":"q","time":1,"source":"view","items":[]}\n',
            "line 1 of .* does not belong in a truth file",
        ),
        (
            b'{"shop":{},"tracking_bug":null}\n{"shop":{},"tracking_bug":null}\n',
            "line 2 of .* does not belong in a truth file",
        ),
        (
            b'{"shop":{},"tracking_bug":null}\n{"question":"q"',
            "line 2 of the truth file .* cannot be read",
        ),
        (b"", "is empty"),
    ],
)
def test_what_is_no_truth_file_is_refused(tmp_path, lines, said) -> None:
    """A log, a truth without its first line, or half a line is an error that names the line."""
    path = tmp_path / "truth.jsonl"
    path.write_bytes(lines)
    with pytest.raises(LogError, match=said):
        list(read_truth(path))
