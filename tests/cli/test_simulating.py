"""`mainstem simulate` as people and scripts use it."""

import gzip
from pathlib import Path

import pytest

from mainstem.simulate import Shop, TruthOfShop, read_truth, simulate
from tests.conftest import Run

SMALL_SHOP = ("--users", 40, "--items", 60, "--days", 3)


def test_simulate_writes_what_the_library_writes(tmp_path: Path, mainstem: Run) -> None:
    """Every option reaches the shop; log and truth are packed if their names say so."""
    log, truth = tmp_path / "log.jsonl.gz", tmp_path / "new" / "truth.jsonl.gz"
    given = {
        "seed": 4,
        "language": "zh",
        "plain": True,
        "turned_over": 0.2,
        "tracking_bug": 1,
        "first_day": "2025-06-01",
        "fitting": 0.3,
        "wrong_yes": 0.5,
        "wrong_no_of": "category=杯子:0.4,source=view:0.1",
        "views": 0.3,
    }
    flags = [
        ("--plain",) if value is True else (f"--{name.replace('_', '-')}", value)
        for name, value in given.items()
    ]
    # an option may be given several times
    flags.append(("--wrong-no-of", "source=view:0.1"))
    flags[flags.index(("--wrong-no-of", given["wrong_no_of"]))] = (
        "--wrong-no-of",
        "category=杯子:0.4",
    )
    words = [word for flag in flags for word in flag]
    done = mainstem("simulate", *SMALL_SHOP, *words, "-o", log, "--truth", truth)
    assert 0 == done.returncode, done.stderr
    shop = Shop(users=40, items=60, days=3, **given)
    plain, beside = tmp_path / "plain.jsonl", tmp_path / "beside.jsonl"
    with plain.open("wb") as to_log, beside.open("wb") as to_truth:
        made = simulate(shop, to_log, to_truth)
    assert plain.read_bytes() == gzip.decompress(log.read_bytes())
    assert beside.read_bytes() == gzip.decompress(truth.read_bytes())
    assert "" == done.stdout
    assert f"wrote {made.lines:,} lines to {log}: " in done.stderr
    assert f"{made.causes['turned over']:,} turned over" in done.stderr
    wrong = f"{made.wrong(1):.1%} of the yes, {made.wrong(0):.1%} of the no"
    assert f"wrong answers in the log: {wrong}" in done.stderr
    assert f"{made.best_auc:.4f}" in done.stderr


def test_every_parameter_of_a_shop_has_its_option(mainstem: Run) -> None:
    """Each parameter of the library's shop is an option of the command."""
    text = mainstem("simulate", "--help", env={"COLUMNS": "200"}).stdout
    assert [] == [
        name for name in Shop.__dataclass_fields__ if f"--{name.replace('_', '-')} " not in text
    ]


def test_simulate_writes_to_standard_output(tmp_path: Path, mainstem: Run) -> None:
    """With `-o -` the log goes to stdout, and `--events` ends it."""
    truth = tmp_path / "truth.jsonl"
    done = mainstem("simulate", *SMALL_SHOP, "--events", 100, "-o", "-", "--truth", truth)
    assert 100 <= len(done.stdout.splitlines()) < 150
    assert isinstance(next(iter(read_truth(truth))), TruthOfShop)


def test_a_share_that_accidents_exceed_is_told(tmp_path: Path, mainstem: Run) -> None:
    """Where what shoppers overlook makes more of the no wrong than asked for, a line says so."""
    done = mainstem("simulate", *SMALL_SHOP, "--wrong-no", 0.01, "-o", tmp_path / "log.jsonl")
    assert 0 == done.returncode, done.stderr
    assert "  other accidents make more wrong than --wrong-no 0.01 asks for;" in done.stderr
    done = mainstem("simulate", *SMALL_SHOP, "--wrong-no", 0.3, "-o", tmp_path / "log.jsonl")
    assert "asks for" not in done.stderr
    assert ", 30." in done.stderr.partition("wrong answers in the log")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bots", "3", "-o", "-"), "mainstem: bots must be from 0 to 1; got 3.0\n"),
        (
            ("-o", "same.jsonl", "--truth", "./same.jsonl"),
            "mainstem: the truth needs a file of its own;",
        ),
        (("-o", "-", "--truth", "-"), "mainstem: the truth needs a file of its own;"),
        (
            (*SMALL_SHOP, "--plain", "--wrong-yes", "0.9", "-o", "log.jsonl"),
            "mainstem: wrong_yes cannot be 0.9; the largest possible is 0.",
        ),
        (
            ("--catalogue", "excerpt", "--language", "zh", "-o", "-"),
            "mainstem: the excerpt's titles are English;",
        ),
    ],
)
def test_wrong_use_is_one_line(
    arguments: tuple[str, ...], said: str, mainstem: Run, tmp_path: Path
) -> None:
    """An impossible shop, or a truth without its own file, is exit code 2 and leaves no file."""
    done = mainstem("simulate", *arguments, cwd=tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(said)
    assert 1 == len(done.stderr.splitlines())
    assert [] == list(tmp_path.iterdir())


def test_a_simulated_log_is_replayed(tmp_path: Path, mainstem: Run) -> None:
    """A simulated log can be replayed, accidents included."""
    log = tmp_path / "log.jsonl"
    options = ("--sessions", 1, "--malformed", 0.05)
    assert 0 == mainstem("simulate", *SMALL_SHOP, *options, "-o", log).returncode
    done = mainstem("replay", log, "--home", tmp_path / "home", "--no-learn", "--json")
    assert 0 == done.returncode, done.stderr
