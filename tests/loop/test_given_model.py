"""A model given by its path is fine-tuned, saved and read back like one trained from scratch."""

import json
from pathlib import Path

from transformers import BertForSequenceClassification

from mainstem.bench.tiny_families import save_tiny
from tests.conftest import Run, excerpt_lines
from tests.small_models import save_bert


def test_a_replay_fine_tunes_a_model_given_by_path(tmp_path: Path, mainstem: Run) -> None:
    """Rounds train the Qwen2 of `--model PATH`, and a resumed replay gives the same report."""
    save_tiny(tmp_path / "model", "qwen2")
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(excerpt_lines(500)))
    command = ("replay", log, "--home", tmp_path / "home", "--model", tmp_path / "model", "--json")
    environment = {
        "MAINSTEM_LEARNING__ROUND_EVERY": "200",
        "MAINSTEM_LEARNING__HELD_OUT": "40",
        "MAINSTEM_LEARNING__GATE_MARGIN": "1",
        "MAINSTEM_JOIN__LABEL_WINDOW": "1m",
        "MAINSTEM_JOIN__GRACE": "1m",
    }
    first = mainstem(*command, env=environment)
    assert 0 == first.returncode, first.stderr
    again = mainstem(*command, env=environment)
    report = json.loads(first.stdout)
    assert len(report["versions"]) >= 2
    assert [report["set_hash"], report["versions"]] == [
        json.loads(again.stdout)[name] for name in ("set_hash", "versions")
    ]
    manifest = json.loads((tmp_path / "home" / "versions" / "000001" / "manifest.json").read_text())
    assert ("pretrained", "qwen2", 0) == tuple(
        manifest[name] for name in ("kind", "family", "parent")
    )


def test_a_half_precision_model_learns_and_a_refused_one_leaves_its_home_free(
    tmp_path: Path, mainstem: Run
) -> None:
    """A home that refused a model without tokenizer learns with a float16 model."""
    folder = save_bert(tmp_path / "bert")
    BertForSequenceClassification.from_pretrained(folder).half().save_pretrained(folder)
    words = folder / "tokenizer.json"
    words.rename(tmp_path / "kept")
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(excerpt_lines(500)))
    command = ("replay", log, "--home", tmp_path / "home", "--model", folder)
    environment = {
        "MAINSTEM_LEARNING__ROUND_EVERY": "200",
        "MAINSTEM_LEARNING__HELD_OUT": "40",
        "MAINSTEM_LEARNING__GATE_MARGIN": "1",
        "MAINSTEM_JOIN__LABEL_WINDOW": "1m",
        "MAINSTEM_JOIN__GRACE": "1m",
        "OMP_NUM_THREADS": "1",
    }
    refused = mainstem(*command, env=environment)
    assert 1 == refused.returncode
    assert refused.stdout.startswith("replaying log.jsonl into")
    assert "Events of the log" not in refused.stdout
    [error] = refused.stderr.splitlines()
    assert error.startswith("mainstem: model")
    (tmp_path / "kept").rename(words)
    done = mainstem(*command, env=environment)
    assert 0 == done.returncode, done.stderr
    assert "transformers" not in done.stdout + done.stderr
    assert "Loading" not in done.stdout + done.stderr
    assert "nan" not in done.stdout.casefold()
    assert "round 1" in done.stdout
    assert 1 == json.loads((tmp_path / "home" / "settings.json").read_text())["threads"]
