"""Measures the homes: every kind of evidence, under every trusted set."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from mainstem.bench.evidence.claims import NONE, ORACLE, QUESTIONS, SOUND, Found, claims_of
from mainstem.bench.evidence.columns import Columns, columns_of, in_rows
from mainstem.bench.evidence.fine_tuned import FineTuning
from mainstem.bench.evidence.frozen import Frozen
from mainstem.bench.evidence.head import HeadData, held_out, readable, right_of_truth
from mainstem.bench.evidence.homes import Cell, Homes
from mainstem.bench.evidence.measures import hard_among_sound, measures_of
from mainstem.bench.evidence.reveal import Revealed, of_questions, of_samples, with_sound
from mainstem.bench.evidence.texts import Texts
from mainstem.bench.evidence.weighing import COMBINATION, Weighing, read_once
from mainstem.bench.ranker import Told
from mainstem.settings import Settings
from mainstem.store import Store

__all__ = ["TRUSTED", "OpenHome", "WithModel", "bench_evidence", "measured"]

OpenHome: TypeAlias = Callable[[Path], AbstractContextManager[Store]]
"""Opens the history of a home."""
TRUSTED: Final = (0, 200, 500, 1500)
"""Numbers of trusted samples."""
_TRAINED: Final = (0, 500)  # numbers of trusted samples after which a head is trained
_DRAWS: Final = 4  # of 500 sound samples, for each seed of the stream with human noise
_SOUND: Final = 500
_SHARE: Final = 0.1  # of the questions


_FINE_TUNED: Final = 3  # seeds of the stream with human noise, on which a model is fine-tuned


@dataclass(frozen=True)
class WithModel:
    """The texts of the set, and what a frozen model says of them.

    Attributes:
        texts: the texts.
        frozen: features of the texts by the frozen model.
        tuned: Hugging Face name or path of a model to fine-tune; None fine-tunes none.
    """

    texts: Texts
    frozen: Frozen
    tuned: str | None = None


def bench_evidence(
    homes: Homes, opened: OpenHome, with_model: WithModel | None, *, told: Told
) -> dict[str, Any]:
    """Measure all homes that are there.

    Args:
        homes: the homes; those that are missing are listed as not run.
        opened: opens the history of a home.
        with_model: frozen features of the labelled texts; None takes what versions read of them.
        told: receives a line of progress.

    Returns:
        `cells`, `claims`, and `not_run`, the names of the cells whose homes are missing.
    """
    cells: list[dict[str, Any]] = []
    there = [one for one in homes.cells if homes.is_there(one)]
    for place, cell in enumerate(there):
        left = sum(one.stream.measure_seconds for one in there[place:]) / 60
        told(f"{place + 1} of {len(there)}: {cell.name}; about {left:.0f} minutes left")
        settings, path = homes.settings(cell), homes.path(cell)
        frozen = with_model if cell.stream.made_of == "texts" else None
        classes = len(settings.objectives.label_names)
        with opened(path / "home") as store:
            columns = columns_of(
                store, path / "truth", classes, frozen.frozen.train if frozen else None
            )
        cells += measured(cell, columns, settings, frozen, told=told)
    streams = list({one.stream.name: one.stream for one in homes.cells}.values())
    return {
        "cells": cells,
        "claims": claims_of(Found(cells, streams)),
        "not_run": [one.name for one in homes.cells if one not in there],
    }


def measured(
    cell: Cell,
    columns: Columns,
    settings: Settings,
    with_model: WithModel | None = None,
    *,
    told: Told = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Measure one home under every trusted set.

    Args:
        cell: stream and seed of the home.
        columns: what was read of it.
        settings: settings that it was made with.
        with_model: frozen features of the texts that heads are measured on.
        told: receives a line of progress after each fine-tuning.

    Yields:
        A cell for each kind of evidence.
    """
    known, truth = columns.known, columns.truth
    parts, heads = read_once(known), _heads(columns, cell.seed, with_model)
    tuning = _tuning(cell, columns, settings, with_model, told)
    right = right_of_truth(heads.features, truth, known.classes)
    hard = hard_among_sound(right, known.label, truth)
    for how, revealed in _sets(cell, columns, settings):
        among = truth >= 0
        among[revealed.rows] = False
        weighing = Weighing.of(columns, revealed, parts, settings.standing)
        asked = {"stream": cell.stream.name, "trusted": len(revealed), "seed": cell.seed}
        trained = how == "samples" and len(revealed) in _TRAINED
        quality = _quality(heads, tuning, columns, revealed, weighing) if trained else {}
        for name, judged in weighing.judged.items():
            decides = weighing.decides if name == COMBINATION else name
            yield {
                **asked,
                "evidence": name,
                "revealed": how,
                "decides": decides,
                **measures_of(judged, known.label, truth, hard, among),
                **quality.pop(name, _UNTRAINED),
            }
        for name, its in quality.items():
            yield {**asked, "evidence": name, "revealed": how, **_UNMEASURED, **its}


_UNTRAINED: Final = {"auc_true": None, "accuracy_true": None, "accuracy_fine_tuned": None}
_MEASURES: Final = ("auroc", "ap", "auroc_within", "auroc_hard", "called", "found", "false")
_SHARES: Final = ("core", "core_wrong", "edge_wrong", "all_wrong")
_UNMEASURED: Final = {"decides": None, **dict.fromkeys((*_MEASURES, *_SHARES))}


def _sets(cell: Cell, columns: Columns, settings: Settings) -> Iterator[tuple[str, Revealed]]:
    """The trusted sets of a home, and how each was revealed."""
    truth, label = columns.truth, columns.known.label
    questions = [one.question_id for one in columns.described]
    for count in TRUSTED:
        if count <= (truth >= 0).sum() / 2:
            yield "samples", of_samples(truth, questions, count, settings)
    if "plain" in cell.stream.roles:
        yield QUESTIONS, of_questions(truth, questions, _SHARE, settings)
    if "human" in cell.stream.roles:
        for draw in range(_DRAWS):
            yield SOUND, with_sound(label, truth, _SOUND, (7, cell.seed, draw))


def _heads(columns: Columns, seed: int, with_model: WithModel | None) -> HeadData:
    """What heads are trained and measured on: the test texts of a set, or a fifth of the stream."""
    known, truth = columns.known, columns.truth
    if with_model is not None and len(with_model.texts.test):
        frozen = with_model.frozen
        both = np.concatenate([frozen.train, frozen.test])
        wide, texts = readable([both], len(both)), len(frozen.train)
        features, test = in_rows(wide[:texts], columns.rows), wide[texts:]
        return HeadData(features, truth >= 0, test, with_model.texts.test_truth, known.classes)
    features = readable([known.representation, known.features], len(known))
    names = [one.question_id.hex for one in columns.described]
    questions = np.unique(names, return_inverse=True)[1]
    held = held_out(questions, seed) & (truth >= 0)
    train = ~held & (truth >= 0)
    return HeadData(features, train, features[held], truth[held], known.classes)


def _tuning(
    cell: Cell, columns: Columns, settings: Settings, with_model: WithModel | None, told: Told
) -> FineTuning | None:
    """What fine-tunes a model on the samples of a home; None where that was not asked for."""
    if with_model is None or with_model.tuned is None or cell.seed >= _FINE_TUNED:
        return None
    if "human" not in cell.stream.roles or not with_model.texts.test:
        return None
    texts = with_model.texts
    order = in_rows(np.arange(len(texts.words))[:, None], columns.rows)[:, 0]
    return FineTuning(with_model.tuned, texts, order, settings, told)


def _quality(
    heads: HeadData,
    tuning: FineTuning | None,
    columns: Columns,
    revealed: Revealed,
    weighing: Weighing,
) -> dict[str, dict[str, Any]]:
    """Quality after training on labels as they are, on labels that evidence weighs, and on truth.

    The training that heeds evidence takes the true labels of trusted samples, with full weight.
    """
    label, truth = columns.known.label, columns.truth
    every, better, weights = np.ones(len(label)), label.copy(), weighing.weights.copy()
    better[revealed.rows], weights[revealed.rows] = truth[revealed.rows], 1.0
    trainings = {
        COMBINATION: (better, weights),
        NONE: (label, every),
        ORACLE: (np.where(truth >= 0, truth, label), every),
    }
    found: dict[str, dict[str, Any]] = {}
    for name, (labels, of_each) in trainings.items():
        its = heads.quality(labels, of_each)
        found[name] = _UNTRAINED | (
            {"auc_true": its.auc, "accuracy_true": its.accuracy} if its else {}
        )
        if tuning is not None:
            told = f"{name}, {len(revealed)} trusted" if name == COMBINATION else name
            found[name]["accuracy_fine_tuned"] = tuning.accuracy(told, labels, of_each)
    return found
