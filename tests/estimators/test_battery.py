"""One battery of tests over all estimators."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from mainstem.estimators import ESTIMATORS, FORWARD, FULL, Shadow, bytes_of
from mainstem.importance import Rows
from tests.estimators.streams import K, Stream, by_sample, counted, show, stream

NAMES = tuple(ESTIMATORS)
CLOSE = {"rel": 1e-5, "abs": 1e-5}
OF_REPRESENTATIONS = {name for name in NAMES if ESTIMATORS[name].reads == "representation"}


def same(expected: Any, actual: Any) -> None:
    """Compare figures, NaN for NaN."""
    assert np.isfinite(expected).any()
    assert pytest.approx(expected, nan_ok=True, **CLOSE) == actual


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_rebuilt_figures_are_live_ones(name: str, classes: int) -> None:
    """Rows that count the same visits again, version by version, hold the same columns."""
    one = stream(classes=classes)
    shadow, live = counted(name, one, batch=7)
    again, rebuilt = counted(name, one)
    for column in shadow.columns:
        assert np.array_equal(live[column], rebuilt[column], equal_nan=True)
    same(by_sample(shadow, live, name), by_sample(again, rebuilt, name))


@pytest.mark.parametrize("name", NAMES)
def test_the_order_within_a_batch_does_not_matter(name: str) -> None:
    """Another order and other batches give each sample the same figure."""
    one = stream(classes=3)
    order = np.random.default_rng(1).permutation(one.norm.shape[1])
    expected = by_sample(*counted(name, one), name)
    same(expected, by_sample(*counted(name, one, order=order, batch=11), name))


@pytest.mark.parametrize("name", NAMES)
def test_a_relabelled_sample_starts_again(name: str) -> None:
    """After another label only later visits count: as if the earlier ones had never been."""
    one = stream(samples=30, versions=5, classes=3)
    other = replace(one, label=(one.label + 1) % 3)
    everyone = np.arange(30)
    found = []
    for before in (2, 0):
        shadow = Shadow([name], classes=3)
        rows = Rows(sketch=K, beside=shadow)
        for version in range(before):
            show(rows, one, version, everyone)
        for version in range(2, 5):
            show(rows, other, version, everyone, label_version=1)
        found.append(by_sample(shadow, rows, name))
    same(*found)


def test_a_revision_to_the_same_answer_goes_on_and_is_told() -> None:
    """Figures go on under the new label version, and count as changed even without a visit."""
    one = stream(samples=6)
    shadow, rows = counted("aum", one)
    before = by_sample(shadow, rows, "aum")
    assert (6, 0) == (len(shadow.changed(rows)), len(shadow.changed(rows)))
    show(rows, one, 3, [2], label_version=1)  # by the version that has visited it already
    assert [2] == shadow.changed(rows).tolist()
    assert before.tolist() == by_sample(shadow, rows, "aum").tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_that_was_left_starts_again(name: str) -> None:
    """Rows that left and came again hold nothing of before, whoever had their place since."""
    one = stream(samples=20)
    shadow, rows = counted(name, one)
    rows.leave(before=1)
    assert 0 == len(shadow.values(rows)[name])
    later = replace(one, **{part.name: getattr(one, part.name)[:] for part in fields(one)})
    fresh = Shadow([name])
    new = Rows(sketch=K, beside=fresh)
    for some in (rows, new):
        show(some, later, 3, np.arange(20))
    assert np.array_equal(
        by_sample(shadow, rows, name), by_sample(fresh, new, name), equal_nan=True
    )


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_what_an_estimator_declares(name: str) -> None:
    """However many visits there are, a sample costs the declared bytes and the mark of a change."""
    shadow, rows = counted(name, stream(samples=16, versions=30))
    plain = Rows(sketch=K)
    show(plain, stream(samples=16), 0, np.arange(16))
    more = sum(rows[one].nbytes for one in rows) - sum(plain[one].nbytes for one in plain)
    assert (bytes_of(ESTIMATORS[name]) + 1) * 16 == more == shadow.bytes * 16


def test_the_dearest_three_in_shadow_take_few_bytes() -> None:
    """With any three estimators in shadow, a sample takes at most 320 bytes."""
    dearest = sorted(NAMES, key=lambda name: bytes_of(ESTIMATORS[name]))[-3:]
    rows = Rows(sketch=64, beside=Shadow(dearest))
    show(rows, replace(stream(1), sketch=np.zeros((4, 1, 64), np.float32)), 0, [0])
    assert 256 < sum(rows[one].nbytes for one in rows) <= 320


@pytest.mark.parametrize("figure", ["norm", "margin", "loss", "alignment", "sketch", "logits"])
@pytest.mark.parametrize("name", NAMES)
def test_hostile_numbers_leave_figures_finite_or_missing(name: str, figure: str) -> None:
    """What is infinite, huge or NaN in a visit never makes a figure infinite, nor harms others."""
    one = stream(samples=30, classes=3)
    # subtle: the rows are told of no hostile norm, margin or loss, which scoring leaves out, but
    # the estimators' own columns must not rely on that
    hostile = _HostileStream(
        **{part.name: getattr(one, part.name).copy() for part in fields(one)}, figure=figure
    )
    with np.errstate(all="ignore"):
        found = by_sample(*counted(name, hostile), name)
    assert not np.isinf(found).any()
    assert np.isfinite(found[5:]).any()


class _HostileStream(Stream):
    """A stream in which one figure of the first five samples is not what a model gives."""

    def __init__(self, figure: str, **arrays: Any) -> None:
        super().__init__(**arrays)
        bad = [np.inf, -np.inf, np.nan, 1e30, 3e38]
        margin = np.array(super().margin)
        object.__setattr__(self, "_margin", margin)
        target = margin if figure == "margin" else arrays[figure]
        target[1, :5] = np.reshape(bad, (5,) + (1,) * (target.ndim - 2))

    @property
    def margin(self) -> Any:
        return self._margin  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_an_input_that_visits_lack_gives_no_figure(name: str) -> None:
    """Where no visit holds what an estimator reads, it has no figure, and never a made-up one."""
    one = stream(classes=3)
    lacks = {"alignment", "sketch"} if ESTIMATORS[name].needs == FULL else set()
    lacks |= {"logits"} if ESTIMATORS[name].reads == "probabilities" else set()
    shadow, rows = counted(name, one, without=tuple(lacks))
    has = not lacks and name not in OF_REPRESENTATIONS
    assert {has} == set(np.isfinite(shadow.values(rows)[name]).tolist())


@pytest.mark.parametrize("name", [one for one in NAMES if ESTIMATORS[one].needs == FORWARD])
def test_a_cheap_visit_is_enough_where_an_estimator_says_so(name: str) -> None:
    """An estimator that needs forward visits reads neither alignment nor sketch."""
    one = stream(classes=3)
    cheap = by_sample(*counted(name, one, without=("alignment", "sketch")), name)
    same(by_sample(*counted(name, one), name), cheap)


def test_names_and_meanings_are_told() -> None:
    """Every estimator is known by its own name, and says what a high figure means."""
    assert NAMES == tuple(one.name for one in ESTIMATORS.values())
    assert {"worth", "sound", "nothing"} == {one.says for one in ESTIMATORS.values()}
    silent = [name for name, one in ESTIMATORS.items() if "Source:" not in (one.__doc__ or "")]
    assert [] == silent
