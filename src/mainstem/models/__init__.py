"""Models: encoders, tokenizers, and a version that is ready to score."""

from mainstem.models.active import ActiveVersion
from mainstem.models.aligning import alignments_of
from mainstem.models.encoder import CrossEncoder, initial_encoder
from mainstem.models.given import check_words, load_pretrained
from mainstem.models.tokenizer import train_tokenizer

__all__ = [
    "ActiveVersion",
    "CrossEncoder",
    "alignments_of",
    "check_words",
    "initial_encoder",
    "load_pretrained",
    "train_tokenizer",
]
