"""Models: the cross-encoder, its tokenizer, scoring with one version, and versions on disk."""

from mainstem.versions.encoder import CrossEncoder, initial_encoder
from mainstem.versions.given import check_words, load_pretrained
from mainstem.versions.scorer import Scorer, alignments_of, load_scorer
from mainstem.versions.store import Manifest, Versions
from mainstem.versions.tokenizer import train_tokenizer

__all__ = [
    "CrossEncoder",
    "Manifest",
    "Scorer",
    "Versions",
    "alignments_of",
    "check_words",
    "initial_encoder",
    "load_pretrained",
    "load_scorer",
    "train_tokenizer",
]
