"""Gradient responses of a batch: exact norms over every trained parameter, with loss and margin from the same pass."""

from mainstem.responses.probe import Probe, Responses, margins

__all__ = ["Probe", "Responses", "margins"]
