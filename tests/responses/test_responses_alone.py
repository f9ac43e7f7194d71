"""The program in `docs/responses-alone.md`, with a small model in place of the hub's."""

from pathlib import Path

import pytest
import torch

from mainstem.responses import length_of
from tests.small_models import save_bert

PAGE = Path(__file__).parents[2] / "docs" / "responses-alone.md"


def test_the_program_works(tmp_path: Path) -> None:
    """It gives norm, dot and sketch for each text, and the mean dot is the squared length."""
    code = PAGE.read_text().split("```python\n", 1)[1].split("```")[0]
    folder = save_bert(tmp_path / "bert")
    classes = [1, 0, 1]
    names = {
        "texts": ["red cup", "white heart", "blue"],
        "classes": classes,
        "trusted_labels": torch.tensor(classes),
    }
    # the very samples that are scored, so that the mean dot is known
    trusted = "trusted = batch\ndirection ="
    exec(code.replace("bert-base-uncased", str(folder)).replace("direction =", trusted), names)
    found, direction = names["found"], names["direction"]
    assert [(3,), (3, 1), (3, 64)] == [
        tuple(one.shape) for one in (found.norm, found.dots, found.sketch)
    ]
    assert pytest.approx(length_of(direction) ** 2, rel=1e-5) == found.dots.mean().item()
