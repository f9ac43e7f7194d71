"""The demo, whole, as the README shows it: real purchases, real training, the figures that the project stands for."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, mainstem: Run) -> dict:
    """The report of one demo with the settings that users have."""
    home = tmp_path_factory.mktemp("demo") / "home"
    done = mainstem("demo", "--home", home, "--json", defaults=True, timeout=1800)
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_demo_replays_twelve_thousand_lines_in_balance(demo: dict) -> None:
    """12,000 purchases and returns become about 24,000 samples, and the ledger balances."""
    assert (12_000, 0) == (
        demo["ledger"]["question"] + demo["ledger"]["outcome"],
        demo["ledger"]["balance"],
    )
    assert 23_000 < demo["samples"] < 25_000


def test_the_demo_learns_to_rank_later_purchases(demo: dict) -> None:
    """After at least four rounds the last version ranks purchases it never saw, far better than the first."""
    later = [one["auc_later"] for one in demo["versions"]]
    assert len(demo["rounds"]) >= 4
    assert later[-1] >= 0.68
    assert later[-1] >= later[0] + 0.05


def test_the_demo_fills_core_and_edge_and_accuses_nobody(demo: dict) -> None:
    """Core and edge hold samples; with canaries that are only assumed nothing is called contradictory."""
    assert demo["sets"]["core"] > 0
    assert demo["sets"]["edge"] > 0
    assert 0 == demo["sets"]["contradictory"]


def test_the_demo_compares_itself_with_plain_rankings(demo: dict) -> None:
    """Popularity, word overlap and co-occurrence are measured on the same pairs."""
    assert {"popularity", "word_overlap", "co_occurrence"} == set(demo["baselines"])
    assert all(0.5 < value < 1 for value in demo["baselines"].values())


def test_the_shipped_excerpt_is_small_and_attributed() -> None:
    """The excerpt is at most 1 MB and says whose data it is."""
    folder = Path(__file__).parents[2] / "src" / "mainstem" / "data"
    assert (folder / "online-retail.jsonl.gz").stat().st_size <= 1_000_000
    assert "CC BY 4.0" in (folder / "README.md").read_text()
