"""The passes that the bench of gradient responses measures, over one model and one batch."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.bench.peers import PEERS
from mainstem.bench.responses_case import Case, batch_of, model_of
from mainstem.responses.directions import gradient_of
from mainstem.responses.probe import Probe

__all__ = ["Bench", "Run"]

Run: TypeAlias = Callable[[], Tensor | None]
"""One measured pass; returns the norms of the samples' responses, shape (B,), or None."""


class Bench:
    """A model, a batch, and the passes over them.

    Attributes:
        case: what the bench measures on.
        model: the model in evaluation mode; no pass changes it.
        inputs, labels: the batch. Passes read them when they run, so they may be replaced.
        runs: makes each pass, by its name; what a pass needs is made then, outside the measurement.
    """

    def __init__(self, case: Case) -> None:
        torch.manual_seed(case.seed)
        self.case = case
        self.model = model_of(case).to(case.device).eval()
        self.inputs, self.labels = batch_of(case, self.model.config.vocab_size)
        self.runs: dict[str, Callable[[], Run]] = {
            "plain": self._plain,
            "forward": self._forward,
            "activations": self._activations,
            "norm": self._ours,
            "norm+direction": partial(self._ours, direction=True),
            "norm+sketch64": partial(self._ours, sketch=64),
            "norm+direction+sketch64": partial(self._ours, direction=True, sketch=64),
            "norm+direction+sketch256": partial(self._ours, direction=True, sketch=256),
            "training step": self._training,
            "last block": partial(self._ours, layers=_last_block(self.model)),
            "head": partial(self._ours, layers=_last_block(self.model)[-1:]),
            **{name: partial(self._peer, make) for name, make in PEERS.items()},
        }

    def logits(self, model: nn.Module) -> Tensor:
        """Logits of the batch, shape (B, 2)."""
        logits: Tensor = model(**self.inputs).logits
        return logits

    @contextmanager
    def cast(self) -> Iterator[None]:
        """Autocast to bfloat16 if the case asks for it."""
        enabled = self.case.precision == "bfloat16"
        with torch.autocast(self.case.device, torch.bfloat16, enabled=enabled):
            yield

    def true_norms(self, samples: int | None = None) -> Tensor:
        """Norms by autograd, one sample at a time, in float64.

        Args:
            samples: how many samples of the batch, from its start; None takes all.

        Returns:
            Norms, shape (samples,).
        """
        exact = copy.deepcopy(self.model).double()
        inputs = {name: tensor[:samples] for name, tensor in self.inputs.items()}
        logits: Tensor = exact(**inputs).logits
        losses = F.cross_entropy(logits, self.labels[:samples], reduction="none")
        parameters = list(exact.parameters())
        squares = []
        for loss in losses:
            gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
            each = [one.square().sum() for one in gradients if one is not None]
            squares.append(torch.stack(each).sum())
        return torch.stack(squares).sqrt()

    def _plain(self) -> Run:
        model = copy.deepcopy(self.model)

        def run() -> None:
            with self.cast():
                loss = F.cross_entropy(self.logits(model).float(), self.labels)
            loss.backward()  # type: ignore[no-untyped-call]
            model.zero_grad(set_to_none=True)

        return run

    def _forward(self) -> Run:
        @torch.no_grad()
        def run() -> None:
            with self.cast():
                self.logits(self.model)

        return run

    def _activations(self) -> Run:
        """Backward to the activations alone, which every method needs that reads them per layer."""
        model = copy.deepcopy(self.model).requires_grad_(requires_grad=False)
        model.get_input_embeddings().register_forward_hook(
            lambda _, __, output: output.requires_grad_(True)
        )

        def run() -> None:
            with self.cast():
                loss = F.cross_entropy(self.logits(model).float(), self.labels, reduction="sum")
            loss.backward()  # type: ignore[no-untyped-call]

        return run

    def _ours(
        self, *, direction: bool = False, sketch: int = 0, layers: Sequence[str] = ("*",)
    ) -> Run:
        model = copy.deepcopy(self.model)
        batches = [(partial(self.logits, model), self.labels)]
        directions = [gradient_of(model, batches)] if direction else []
        probe = Probe(model, directions=directions, sketch=sketch, layers=layers)

        def run() -> Tensor:
            with self.cast():
                return probe.responses(partial(self.logits, model), self.labels).norm

        return run

    def _training(self) -> Run:
        model = copy.deepcopy(self.model)
        probe = Probe(model)

        def run() -> Tensor:
            with self.cast():
                norm = probe.training_step(partial(self.logits, model), self.labels).norm
            model.zero_grad(set_to_none=True)
            return norm

        return run

    def _peer(self, make: Callable[..., Run]) -> Run:
        return make(copy.deepcopy(self.model), lambda: (self.inputs, self.labels), self.cast)


def _last_block(model: nn.Module) -> list[str]:
    """Names of the last block and of the modules outside the encoder: the head."""
    blocks = next(name for name, part in model.named_modules() if isinstance(part, nn.ModuleList))
    names = [
        name
        for name, part in model.named_children()
        if not blocks.startswith(name) and list(part.parameters())
    ]
    last = len(list(model.get_submodule(blocks).children())) - 1
    return [f"{blocks}.{last}", *names]
