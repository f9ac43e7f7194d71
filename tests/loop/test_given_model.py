"""A BERT that is given by its path is fine-tuned, saved and read back like the one made here."""

import json
from pathlib import Path

from tests.conftest import Run, excerpt_lines
from tests.models import save_bert


def test_a_replay_fine_tunes_a_model_given_by_path(tmp_path: Path, mainstem: Run) -> None:
    """With `--model PATH` rounds make versions of that model, and a resumed replay gives the same report."""
    save_bert(tmp_path / "bert")
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(excerpt_lines(500)))
    command = ("replay", log, "--home", tmp_path / "home", "--model", tmp_path / "bert", "--json")
    environment = {"MAINSTEM_ROUND_EVERY": "200", "MAINSTEM_LABEL_WINDOW": "1m", "MAINSTEM_GRACE": "1m"}
    first = mainstem(*command, env=environment)
    assert 0 == first.returncode, first.stderr
    again = mainstem(*command, env=environment)
    report = json.loads(first.stdout)
    assert len(report["versions"]) >= 2
    assert [report["set_hash"], report["versions"]] == [json.loads(again.stdout)[name] for name in ("set_hash", "versions")]
    manifest = json.loads((tmp_path / "home" / "versions" / "000001" / "manifest.json").read_text())
    assert ("pretrained", 0) == (manifest["kind"], manifest["parent"])
