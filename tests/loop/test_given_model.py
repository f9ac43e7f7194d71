"""A BERT that is given by its path is fine-tuned, saved and read back like the one made here."""

import json
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

from mainstem.versions import train_tokenizer
from tests.conftest import Run, excerpt_lines


def save_bert(folder: Path) -> None:
    """A tiny BERT as Hugging Face saves one, with a word list of English and Chinese."""
    tokenizer = train_tokenizer(["white hanging heart t-light holder", "red woolly hottie", "红色 杯子"] * 3, size=400)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]"})
    )
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=2,
    )
    torch.manual_seed(0)
    BertForSequenceClassification(config).save_pretrained(folder)


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
