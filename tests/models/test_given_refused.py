"""A given model that would be changed by loading is refused in one line."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers.processors import TemplateProcessing
from transformers import BertForTokenClassification

from mainstem.errors import ModelError
from tests.models.folders import Spoil, configured, load, refusal, tokenized, weighted
from tests.small_models import bert_config, save_bert, tokenizer


def no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()


def more_tokens(folder: Path) -> None:
    own = tokenizer()
    own.add_tokens(["a token more"])
    own.save(str(folder / "tokenizer.json"))


def more_special_tokens(folder: Path) -> None:
    own = tokenizer()
    own.add_special_tokens(["[ITEM]"])
    own.save(str(folder / "tokenizer.json"))


def one_sided(folder: Path) -> None:
    own = tokenizer()
    marks = [("[CLS]", own.token_to_id("[CLS]")), ("[SEP]", own.token_to_id("[SEP]"))]
    both = "[CLS] $A [SEP] $B [SEP]"
    own.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair=both, special_tokens=marks
    )
    own.save(str(folder / "tokenizer.json"))


def unmarked(folder: Path) -> None:
    own = json.loads(tokenizer().to_str())
    (folder / "tokenizer.json").write_text(json.dumps({**own, "post_processor": None}))


def pads_otherwise(folder: Path) -> None:
    tokenized(folder, pad_token="[MASK]")


def nan_weights(folder: Path) -> None:
    weighted(folder, lambda weights: weights["bert.pooler.dense.bias"].fill_(float("nan")))


def infinite_weights(folder: Path) -> None:
    weighted(
        folder,
        lambda weights: weights["bert.encoder.layer.0.output.dense.bias"].fill_(float("-inf")),
    )


def huge_weights(folder: Path) -> None:
    weighted(
        folder, lambda weights: weights["bert.encoder.layer.0.output.dense.weight"].fill_(3e38)
    )


def lacks_a_layer(folder: Path) -> None:
    weighted(
        folder, lambda weights: [weights.pop(name) for name in list(weights) if ".layer.1." in name]
    )


def of_another_width(folder: Path) -> None:
    configured(folder, intermediate_size=64)


def of_fewer_rows(folder: Path) -> None:
    configured(folder, vocab_size=tokenizer().get_vocab_size() + 9)


def has_a_layer_too_many(folder: Path) -> None:
    configured(folder, num_hidden_layers=1)


def quantized_config(folder: Path) -> None:
    configured(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})


def quantized_weights(folder: Path) -> None:
    weighted(folder, lambda w: w.update({"classifier.weight": torch.ones(2, 16, dtype=torch.int8)}))


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def pointer(folder: Path) -> None:
    (folder / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )


def adapter(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')


def sentences(folder: Path) -> None:
    (folder / "0_Transformer").mkdir()
    (folder / "config.json").rename(folder / "0_Transformer" / "config.json")
    (folder / "modules.json").write_text("[]")


def of_tokens(folder: Path) -> None:
    BertForTokenClassification(bert_config(num_labels=2)).save_pretrained(folder)
    weighted(
        folder,
        lambda w: w.update({f"bert.pooler.dense.{n}": torch.ones(*s) for n, s in POOLER.items()}),
    )


POOLER = {"weight": (16, 16), "bias": (16,)}
REFUSED: list[tuple[Spoil, str]] = [
    (no_tokenizer, "has no tokenizer in its folder"),
    (more_tokens, r"numbers its tokens up to .* \('a token more'\), and the model has"),
    (more_special_tokens, r"'\[ITEM\]'"),
    (one_sided, r"with segments \[0\] instead of 0 and 1"),
    (unmarked, "puts no token before a pair"),
    (pads_otherwise, r"pads with token 4 \('\[MASK\]'\), and its config with 0"),
    (nan_weights, "'bert.pooler.dense.bias' .* are not all finite"),
    (infinite_weights, "'bert.encoder.layer.0.output.dense.bias' .* are not all finite"),
    (huge_weights, "answers with numbers that are not finite"),
    (lacks_a_layer, r"lacks 16 of 41 weights, like 'bert.encoder.layer.1"),
    (
        of_another_width,
        r"lacks 6 of 41 weights, like .*, saved as \(32,\) and \(64,\) by its config",
    ),
    (of_fewer_rows, "like 'bert.embeddings.word_embeddings.weight', saved as"),
    (has_a_layer_too_many, "holds 16 weights that its config has no place for"),
    (quantized_config, "is quantized"),
    (quantized_weights, r"is quantized \('classifier.weight' is saved as I8\)"),
    (pickled, "weights only as a pickle"),
    (pointer, "git lfs pull"),
    (adapter, "is an adapter"),
    (sentences, "sentence-transformers folder; give its encoder, '.*0_Transformer'"),
    (of_tokens, "is of BertForTokenClassification, not of a sequence"),
    (lambda folder: (folder / "config.json").unlink(), "is not a model folder"),
    (lambda folder: configured(folder, type_vocab_size=1), "knows one segment"),
    (lambda folder: configured(folder, is_decoder=True), "is a decoder"),
    (
        lambda folder: configured(folder, position_embedding_type="relative_key"),
        "has 'relative_key' positions",
    ),
    (
        lambda folder: configured(folder, pad_token_id=-1),
        "pad_token_id of model .* is -1, and it has rows 0 to",
    ),
    (
        lambda folder: configured(folder, id2label={"0": "Yes", "1": "No"}),
        "yes, no, and here they are no, yes",
    ),
]


@pytest.mark.parametrize(("spoil", "told"), REFUSED, ids=lambda one: getattr(one, "__name__", None))
def test_a_folder_that_would_load_as_another_model_is_refused(
    spoil: Spoil,
    told: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Such a folder is refused in one line that names it, and no library prints anything."""
    folder = save_bert(tmp_path / "bert")
    spoil(folder)
    capfd.readouterr()
    with pytest.raises(ModelError, match=told):
        load(folder)
    refusal(folder)
    assert ([], ("", "")) == (caplog.records, capfd.readouterr())


def test_a_file_is_not_its_folder(tmp_path: Path) -> None:
    """A path to the weights themselves is refused as a file."""
    folder = save_bert(tmp_path / "bert")
    assert "is a file; give the folder" in refusal(folder / "model.safetensors")
