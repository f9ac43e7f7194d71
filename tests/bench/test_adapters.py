"""The bench of adapters: a part of a given model is trained, beside all of it."""

from pathlib import Path

import pytest

from mainstem.bench.adapters import MODES, bench_adapters
from mainstem.bench.families import tiny_settings
from mainstem.bench.ranker_shop import shop_log
from mainstem.bench.tiny_families import save_tiny
from mainstem.cli.costing import opened


def test_each_mode_is_trained_and_its_responses_compared(tmp_path: Path) -> None:
    """All weights agree with themselves, and a part trains fewer numbers and agrees less."""
    settings = tiny_settings(save_tiny(tmp_path / "model", "bert")).but({"learning.epochs": 1})
    log = shop_log(1500, 3, settings, opened)[0]
    found = bench_adapters(log, trained=60, scored=20)
    assert 54 == found["trained"]
    rows = {row["mode"]: row for row in found["rows"]}
    assert set(MODES) == set(rows)
    full = rows.pop("full")
    assert [1.0, 1.0] == [pytest.approx(full[name]) for name in ("first_spearman", "spearman")]
    for row in rows.values():
        assert row["parameters"] <= full["parameters"]
        assert row["spearman"] < 1
        assert 0 <= row["auc"] <= 1
    assert rows["head"]["parameters"] < rows["LoRA 8"]["parameters"] < full["parameters"]
