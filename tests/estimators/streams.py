"""A stream of visits by several versions, made by hand, and what an estimator made of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.estimators import Shadow
from mainstem.importance import Rows, rounded
from tests.importance.visiting import fact, visits

K = 8


@dataclass(frozen=True)
class Stream:
    """V versions that each visit N samples; every array has shape (V, N, ...)."""

    label: NDArray[np.int64]
    logits: NDArray[np.float32]
    norm: NDArray[Any]
    loss: NDArray[Any]
    alignment: NDArray[Any]
    sketch: NDArray[np.float32]

    @property
    def margin(self) -> NDArray[Any]:
        """Logit of the label less the best other one."""
        own = np.take_along_axis(self.logits, self.label[None, :, None], axis=2)[..., 0]
        is_label = np.arange(self.logits.shape[2]) == self.label[:, None]
        return own - np.where(is_label, -np.inf, self.logits).max(axis=2)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The softmax of the logits, by its definition."""
        raised = np.exp(self.logits.astype(np.float64))
        return raised / raised.sum(axis=2, keepdims=True)


def stream(samples: int = 40, versions: int = 4, classes: int = 2, seed: int = 0) -> Stream:
    """Make a stream at random."""
    random = np.random.default_rng(seed)
    shape = (versions, samples)
    label = random.integers(0, classes, samples)
    logits = random.normal(size=(*shape, classes)).astype(np.float32)
    logits[..., 0] += 1 - label  # not quite independent of the label
    own = np.take_along_axis(logits, label[None, :, None], axis=2)[..., 0]
    loss = np.log(np.exp(logits).sum(axis=2)) - own
    sketch = rounded(random.normal(size=(*shape, K)).astype(np.float32))
    norm, alignment = random.gamma(2, size=shape), random.uniform(-1, 1, shape)
    return Stream(label, logits, norm, loss, alignment, sketch)


def counted(
    name: str,
    one: Stream,
    *,
    order: Any = None,
    batch: int | None = None,
    without: tuple[str, ...] = (),
) -> tuple[Shadow, Rows]:
    """Let an estimator see a stream, in some order of the samples and in batches of some size."""
    versions, samples = one.norm.shape
    shadow = Shadow([name], classes=one.logits.shape[2])
    rows = Rows(sketch=K, beside=shadow)
    order = np.arange(samples) if order is None else np.asarray(order)
    for version in range(versions):
        for start in range(0, samples, batch or samples):
            show(rows, one, version, order[start : start + (batch or samples)], without=without)
    return shadow, rows


def show(
    rows: Rows,
    one: Stream,
    version: int,
    some: Any,
    *,
    label_version: int = 0,
    without: tuple[str, ...] = (),
) -> None:
    """Show some samples of a stream to the rows, as one version visited them."""
    facts = [
        fact(label=int(one.label[number]), label_version=label_version, offset=int(number))
        for number in some
    ]
    held = {
        name: getattr(one, name)[version][some]
        for name in ("norm", "margin", "loss", "alignment", "sketch", "logits")
        if name not in without
    }
    ids = [UUID(int=int(number) + 1) for number in some]
    rows.visit(visits(version=version, scale=2.0, ids=ids, facts=facts, **held))


def by_sample(shadow: Shadow, rows: Rows, name: str) -> NDArray[np.float64]:
    """The figures of an estimator in the order of the samples' numbers."""
    found = shadow.values(rows, representations(rows))[name]
    return found[np.argsort(rows["offset"])]


def representations(rows: Rows) -> NDArray[np.float64]:
    """A made-up representation of each row, which depends on its sample alone."""
    return (
        np.stack([np.random.default_rng(int(number)).normal(size=4) for number in rows["key_low"]])
        if len(rows)
        else np.zeros((0, 4))
    )
