"""Passes of a version are counted: samples, tokens as the tokenizer gives them, and their work."""

from collections.abc import Callable
from typing import Any

import pytest

from mainstem.models import ActiveVersion
from mainstem.models.passes import FORWARD, LAST, PLAIN, factors_of
from mainstem.process.stopwatch import SPENT, Cost
from mainstem.settings import Model, Responses, Settings
from tests.small_models import LABELS, PAIRS, given_encoder, one_thread, tokenizer

__all__ = ["one_thread"]

SETTINGS = Settings(model=Model(device="cpu"), responses=Responses(score_batch=2))
TOKENS = sum(len(tokenizer().encode(*pair).ids) for pair in PAIRS)


def spent(action: Callable[[], Any]) -> Cost:
    """Return what an action cost, without its seconds."""
    with SPENT.counting() as counted, SPENT.on("test"):
        action()
    return counted["test"]._replace(seconds=0.0)


def test_tokens_are_those_of_the_tokenizer() -> None:
    """Padding does not count, however the samples are put into batches."""
    active = ActiveVersion(given_encoder(), SETTINGS)
    lengths = {len(tokenizer().encode(*pair).ids) for pair in PAIRS}
    assert len(lengths) > 2
    assert Cost(5, TOKENS, pytest.approx(0.73 * TOKENS)) == spent(
        lambda: active.responses(PAIRS, LABELS)
    )
    assert Cost(5, TOKENS, pytest.approx(FORWARD * TOKENS)) == spent(lambda: active.logits(PAIRS))
    assert Cost(5, TOKENS, pytest.approx(PLAIN * TOKENS)) == spent(
        lambda: active.gradient(PAIRS, LABELS)
    )
    assert Cost() == spent(lambda: active.logits([]))


def test_texts_that_are_cut_cost_what_is_left_of_them() -> None:
    """Tokens beyond the most that a model reads are not read, and do not count."""
    short = SETTINGS.but({"model.max_tokens": 8})
    cut = sum(min(len(tokenizer().encode(*pair).ids), 8) for pair in PAIRS)
    assert cut < TOKENS
    assert cut == spent(lambda: ActiveVersion(given_encoder(), short).logits(PAIRS)).tokens


def test_a_response_costs_more_with_a_direction_and_a_sketch() -> None:
    """Each part of a response adds to its factor, up to that of a plain pass."""
    encoder = given_encoder()
    direction = ActiveVersion(encoder, SETTINGS).gradient(PAIRS, LABELS)
    made = [
        ActiveVersion(encoder, SETTINGS, direction=one, sketch=sketch)
        for one, sketch in ((None, 0), (None, 64), (direction, 0), (direction, 64))
    ]
    factors = [spent(lambda one=one: one.responses(PAIRS, LABELS)) for one in made]
    told = [round(one.forward_equivalents / TOKENS, 6) for one in factors]
    assert [0.73, 0.84, 0.91, 1.0] == told == sorted(told)


def test_cheaper_kinds_of_pass_have_smaller_factors() -> None:
    """Forward alone is cheapest, then the last block, then a norm, then a plain pass."""
    factors = factors_of(direction=False, sketch=False)
    assert FORWARD == factors["forward"] < factors["last"] == LAST
    assert factors["last"] < factors["full"] < factors["plain"] == PLAIN
