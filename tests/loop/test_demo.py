"""The whole demo as the README shows it: real purchases, real training and the quoted figures."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.pages import ROOT, blocks


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, mainstem: Run
) -> subprocess.CompletedProcess[str]:
    """Run the demo once with the default settings of a user."""
    folder = tmp_path_factory.mktemp("demo")
    done = mainstem("demo", "--json", defaults=True, timeout=1800, cwd=folder)
    assert 0 == done.returncode, done.stderr
    return done


@pytest.fixture(scope="module")
def demo(done: subprocess.CompletedProcess[str]) -> dict:
    """Report of the demo."""
    return json.loads(done.stdout.splitlines()[-1])


def shapes(text: str) -> set[tuple[str, ...]]:
    """Return each line without numbers, split at commas, so that equal parts count once."""
    text = text.replace("1 thread\n", "2 threads\n")  # a worker of the tests has one core
    lines = (re.sub(r"\s+", " ", re.sub(r"[\d.,]*\d", "#", line)) for line in text.splitlines())
    return {tuple(dict.fromkeys(line.strip().split(", "))) for line in lines}


def test_the_demo_replays_twelve_thousand_lines_in_balance(demo: dict) -> None:
    """12,000 purchases and returns become about 24,000 samples, and the ledger balances."""
    assert (12_000, 0) == (
        demo["ledger"]["question"] + demo["ledger"]["outcome"],
        demo["ledger"]["balance"],
    )
    assert 23_000 < demo["samples"] < 25_000


def test_the_demo_prints_what_the_readme_quotes(done: subprocess.CompletedProcess[str]) -> None:
    """The demo prints every line that the README shows of it, apart from the numbers."""
    [quoted] = [block for block in blocks(ROOT / "README.md") if block.name == "demo"]
    lines = shapes(quoted.content) - {("",), ("...",)}
    assert set() == {line for line in lines if line not in shapes(done.stderr + done.stdout)}


def test_the_demo_learns_to_rank_later_purchases(demo: dict) -> None:
    """After at least four rounds unseen purchases are ranked better than counting ranks them."""
    later = [one["auc_later"] for one in demo["versions"]]
    counted = [demo["baselines"][name] for name in ("popularity", "overlap", "co_occurrence")]
    assert len(demo["rounds"]) >= 4
    assert later[-1] >= 0.83
    assert later[-1] >= later[0] + 0.2
    assert later[-1] > max(counted)


def test_the_demo_fills_core_and_edge_and_accuses_nobody(demo: dict) -> None:
    """Core and edge hold samples, and nothing is contradictory while canaries are only assumed."""
    assert demo["sets"]["core"] > 0
    assert demo["sets"]["edge"] > 0
    assert 0 == demo["sets"]["contradictory"]


def test_the_demo_compares_itself_with_plain_rankings(demo: dict) -> None:
    """Popularity, word overlap and co-occurrence are measured on the same pairs."""
    names = {"popularity", "overlap", "co_occurrence", "logistic", "trees", "words"}
    assert names == set(demo["baselines"])
    assert all(0.5 < value < 1 for value in demo["baselines"].values())


def test_the_shipped_excerpt_is_small_and_attributed() -> None:
    """The excerpt is at most 1 MB and names the source of its data."""
    folder = Path(__file__).parents[2] / "src" / "mainstem" / "data"
    assert (folder / "online-retail.jsonl.gz").stat().st_size <= 1_000_000
    assert "CC BY 4.0" in (folder / "README.md").read_text()
