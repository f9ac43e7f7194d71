"""Which samples another visit could move, worked by hand."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from mainstem.importance import CANARY, Rows
from mainstem.scoring.changeable import chance_of_moving, most_changeable
from mainstem.settings import Standing
from mainstem.standing import judge
from tests.importance.visiting import fact, visit

SETTINGS = Standing(canary_minimum=5, assumed_sound=1.0, doubt=0.0, confidence=0.0)


def made(norms: Sequence[Sequence[float]], *, margin: float = 1.0) -> Rows:
    """Make twenty canaries, and a sample for each sequence of norms, one norm for each version."""
    rows = Rows()
    for version in range(max(map(len, norms))):
        canaries = [
            (
                1000 + number,
                fact(part=CANARY, offset=number),
                1.0 + number / 20 + 0.3 * (-1) ** (version + number),
                margin,
            )
            for number in range(20)
        ]
        seen = [
            (number, fact(offset=100 + number), its[version], margin)
            for number, its in enumerate(norms)
            if version < len(its)
        ]
        visit(rows, version, *canaries, *seen)
    return rows


def chances(rows: Rows, count: int, version: int = 9) -> list[float]:
    """Return the chances of the first samples of the stream."""
    found = chance_of_moving(rows, version, SETTINGS)
    return [float(found[rows.row_of(UUID(int=number))]) for number in range(count)]


def test_a_sample_near_the_level_of_core_is_likelier_to_move() -> None:
    """The farther importance is from the level, the less a visit can change."""
    rows = made([[norm, norm] for norm in (1.5, 1.8, 2.2, 3.0, 9.0)])
    level = judge(rows, SETTINGS, trusted=False).core_level
    away = np.abs(rows["importance"] - level)[rows["part"] != CANARY]
    assert np.argsort(away).tolist() == np.argsort(-np.array(chances(rows, 5))).tolist()


def test_few_visits_and_old_ones_make_a_move_likelier() -> None:
    """At the same importance a sample with more visits is less likely to move, a stale one more."""
    rows = made([[2.0, 2.0, 2.0, 2.0], [2.0], [2.0, 2.0]])
    many, one, two = chances(rows, 3)
    assert one > two > many
    assert all(np.array(chances(rows, 3, version=20)) > chances(rows, 3, version=4))


def test_a_sample_whose_norms_vary_is_likelier_to_move() -> None:
    """Of two samples with the same mean norm, the one that varied has the larger step."""
    steady, varied = chances(made([[2.5, 2.5, 2.5], [0.5, 2.5, 4.5]]), 2)
    assert varied > steady


def test_a_revised_answer_is_looked_at_until_it_has_two_visits() -> None:
    """A relabelled sample comes first, whatever its importance is."""
    rows = made([[9.0, 9.0], [1.5, 1.5]])
    visit(rows, 2, (0, fact(offset=300, label=0, label_version=1), 9.0, 1.0))
    assert [0] == [
        int(rows.id_of(row)) for row in most_changeable(rows, 3, budget=1, settings=SETTINGS)
    ]


def test_the_budget_holds_and_the_newest_come_first_among_equals() -> None:
    """Canaries and samples that the version has scored are left out; ties go to the newest."""
    rows = made([[2.0, 2.0] for _ in range(10)])
    visit(rows, 2, (9, fact(offset=109), 2.0, 1.0))
    chosen = most_changeable(rows, 2, budget=3, settings=SETTINGS)
    assert [106, 107, 108] == rows["offset"][chosen].tolist()
    assert 9 == len(most_changeable(rows, 2, budget=99, settings=SETTINGS))
    assert 0 == len(most_changeable(rows, 2, budget=0, settings=SETTINGS))
    assert 0 == len(most_changeable(Rows(), 2, budget=5, settings=SETTINGS))


def test_a_doubtful_sample_near_the_border_of_soundness_may_move() -> None:
    """Where half of the samples count as sound, those at the border are likeliest to turn."""
    rows = Rows()
    margins, norms = np.linspace(-5, 5, 40), [99.0, 1.0] * 20
    for version, step in enumerate((0.0, 0.4, 0.2)):
        visit(
            rows,
            version,
            *[(99 + n, fact(part=CANARY), 50.0, float(one)) for n, one in enumerate(margins)],
            *[
                (n, fact(offset=n), norms[n] + step, float(one) + step)
                for n, one in enumerate(margins)
            ],
        )
    settings = Standing(canary_minimum=5, assumed_sound=0.5, confidence=0.0)
    found = chance_of_moving(rows, 3, settings)
    chance = {n: found[rows.row_of(UUID(int=n))] for n in range(40)}
    assert {14, 16, 18, 20, 22} > set(sorted(chance, key=chance.__getitem__)[-4:])


def test_chances_are_probabilities_whatever_the_numbers_are() -> None:
    """Hostile importance, a single sample and no spread give numbers from 0 to 1."""
    for norms in ([[0.0]], [[1e30, 0.0], [1e-30, 1e30]], [[1.0, 1.0]]):
        found = chance_of_moving(made(norms), 5, SETTINGS)
        assert ((found >= 0) & (found <= 1)).all()
