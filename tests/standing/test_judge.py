"""The judge: a partition worked by hand for each reason."""

import numpy as np
import pytest

from mainstem.importance import CANARY, Rows
from mainstem.importance.canaries import Canaries
from mainstem.settings import Settings
from mainstem.standing import REASONS, STANDINGS, Judgement, evidence_of, judge
from tests.named import named
from tests.standing.rows import SETTINGS, canaries, rows_of

# margins 1 to 19: a sample at -1 has p-value 1/20, one at 9.5 has 10/20
NINETEEN = canaries(range(1, 20))
DOUBTED, SOUND = {"margin": -1.0}, {"margin": 9.5}


def told(judged: Judgement, row: int) -> tuple[str, str]:
    """Return standing and reason of a row."""
    return STANDINGS[judged.standing[row]], REASONS[judged.reason[row]]


def first(
    *rows: dict[str, float], settings: Settings = SETTINGS, trusted: bool = True
) -> tuple[str, str]:
    """Judge these rows and return standing and reason of the first."""
    return told(judge(rows_of(*rows), settings.standing, trusted=trusted), 0)


@pytest.mark.parametrize(
    ("sample", "given", "expected"),
    [
        # 1/20 <= q = .1, alone among the samples
        (DOUBTED, {}, ("noise", "contradictory")),
        (DOUBTED, {"false_discovery_rate": 0.01}, ("edge", "doubtful")),
        # not below 1/20
        (DOUBTED, {"false_discovery_rate": 0.01, "doubt": 0.05}, ("edge", "undecided")),
        (
            DOUBTED | {"importance": 2.0},
            {"false_discovery_rate": 0.01, "doubt": 0.05},
            ("core", "important"),
        ),
        # as important as all others
        (SOUND, {}, ("edge", "undecided")),
        (SOUND | {"visits": 1}, {}, ("edge", "new")),
        (SOUND | {"importance": 2.0}, {}, ("core", "important")),
        (SOUND | {"importance": 2.0}, {"confidence": 0.0}, ("core", "important")),
        (SOUND | {"importance": 2.0, "visits": 1}, {}, ("edge", "new")),
        (SOUND | {"importance": 2.0, "visits": 1}, {"core_visits": 1}, ("core", "important")),
        (SOUND | {"importance": 2.0, "visits": 2}, {"core_visits": 3}, ("edge", "new")),
        # importance does not make it sound
        (DOUBTED | {"importance": 9.0}, {"false_discovery_rate": 0.01}, ("edge", "doubtful")),
        (SOUND | {"importance": 0.01}, {}, ("noise", "spent")),
        (SOUND | {"importance": 0.06}, {}, ("edge", "undecided")),
        (SOUND | {"importance": 0.01, "visits": 1}, {}, ("edge", "new")),
        # the stronger of two reasons
        (DOUBTED | {"importance": 0.01}, {}, ("noise", "contradictory")),
        (DOUBTED, {"canary_minimum": 20}, ("edge", "too few canaries")),
        (SOUND | {"importance": 2.0}, {"canary_minimum": 20}, ("edge", "too few canaries")),
        (SOUND | {"importance": 0.01}, {"canary_minimum": 20}, ("edge", "too few canaries")),
    ],
)
def test_each_reason(
    sample: dict[str, float], given: dict[str, float], expected: tuple[str, str]
) -> None:
    """A sample among nineteen canaries gets the standing and reason worked out by hand."""
    assert expected == first(sample, *NINETEEN, settings=SETTINGS.but(named(**given)))


def test_core_and_spent_need_confidence() -> None:
    """Core and spent need an importance beyond their level by the standard error."""
    # a pooled variance of 4 at two visits: error about 1.1
    shaky = [one | {"importance_m2": 4.0} for one in NINETEEN]
    assert ("edge", "undecided") == first(SOUND | {"importance": 2.0}, *shaky)
    assert ("core", "important") == first(SOUND | {"importance": 3.0}, *shaky)
    assert ("core", "important") == first(
        SOUND | {"importance": 2.0}, *shaky, settings=SETTINGS.but({"standing.confidence": 0.5})
    )
    assert ("core", "important") == first(SOUND | {"importance": 2.0, "visits": 50}, *shaky)
    assert ("edge", "undecided") == first(SOUND | {"importance": 0.01}, *shaky)


def test_the_standard_error_worked_by_hand() -> None:
    """A sample's own variance is mixed with two visits of the pooled one, over its visits."""
    rows = rows_of(
        {"visits": 3, "importance_m2": 6.0}, {"visits": 2, "importance_m2": 3.0}, {"visits": 1}
    )
    pooled = (6 + 3) / (2 + 1)
    expected = [
        ((6 + 2 * pooled) / 4 / 3) ** 0.5,
        ((3 + 2 * pooled) / 3 / 2) ** 0.5,
        (2 * pooled / 2) ** 0.5,
    ]
    assert (
        pytest.approx(expected)
        == judge(rows, SETTINGS.standing, trusted=True).importance_error.tolist()
    )


def test_the_core_level_is_a_quantile_of_sound_samples_seen_enough() -> None:
    """Doubtful samples and those with too few visits do not move the core level."""
    those = [SOUND | {"importance": value} for value in (1.0, 2.0, 3.0)]
    others = [SOUND | {"importance": 99.0, "visits": 1}, DOUBTED | {"importance": 99.0}]
    # canaries are sound too, but for the two most doubtful of the nineteen
    high = [one | {"importance": 2.0} for one in NINETEEN]
    rows = rows_of(*those, *others, *high)
    assert 2.0 == judge(rows, SETTINGS.standing, trusted=True).core_level
    settings = SETTINGS.but({"standing.core_quantile": 1.0}).standing
    assert 3.0 == judge(rows, settings, trusted=True).core_level
    assert np.isnan(judge(rows_of(others[1]), SETTINGS.standing, trusted=True).core_level)


def test_where_nothing_has_learnt_core_holds_less_doubtful_samples_only() -> None:
    """The more doubtful half stays in edge, however important, unless a setting says otherwise."""
    rows = rows_of(*[{"margin": value, "importance": 2.0} for value in (5.5, 15.5)], *NINETEEN)
    half = SETTINGS.but({"standing.assumed_sound": 0.5}).standing
    judged = judge(rows, half, trusted=True)
    assert [("edge", "doubtful"), ("core", "important")] == [told(judged, row) for row in (0, 1)]
    every = judge(rows, SETTINGS.standing, trusted=True)
    assert {("core", "important")} == {told(every, row) for row in (0, 1)}


@pytest.mark.parametrize(
    ("count", "verdict", "beyond_edge"), [(18, "too few canaries", 0), (19, "given", 1)]
)
def test_no_verdict_below_the_minimum_of_canaries(
    count: int, verdict: str, beyond_edge: int
) -> None:
    """With one canary too few there are no p-values, all stay in edge, and the verdict says why."""
    judged = judge(
        rows_of(DOUBTED, SOUND | {"importance": 2.0}, *NINETEEN[:count]),
        SETTINGS.standing,
        trusted=True,
    )
    counts = {
        "core": beyond_edge,
        "contradictory": beyond_edge,
        "spent": 0,
        "edge": count + 2 - 2 * beyond_edge,
    }
    assert (count, verdict, counts) == (judged.canaries, judged.verdict, judged.counts())
    assert {not beyond_edge} == set(np.isnan(judged.p_value))


def test_a_label_is_held_against_its_own_canaries() -> None:
    """A label with enough canaries is compared with those alone, since its margins may be low."""
    others = canaries(range(-30, -11), label=0)
    judged = judge(
        rows_of(DOUBTED, {"margin": -21.5, "label": 0}, *NINETEEN, *others),
        SETTINGS.standing,
        trusted=True,
    )
    assert [1 / 20, 10 / 20] == judged.p_value[:2].tolist()


def test_labels_are_pooled_where_one_has_too_few_canaries() -> None:
    """A label with too few canaries is compared with all canaries, and the other with its own."""
    few = canaries([-2.0, 30.0], label=0)
    judged = judge(
        rows_of({"margin": -1.0, "label": 0}, DOUBTED, *NINETEEN, *few),
        SETTINGS.standing,
        trusted=True,
    )
    assert [2 / 22, 1 / 20] == judged.p_value[:2].tolist()


def test_assumed_canaries_prove_nothing_wrong() -> None:
    """With assumed canaries nothing is contradictory, and core is as usual."""
    judged = judge(
        rows_of(DOUBTED, SOUND | {"importance": 2.0}, *NINETEEN), SETTINGS.standing, trusted=False
    )
    assert "no trusted samples" == judged.verdict
    assert [("edge", "doubtful"), ("core", "important")] == [told(judged, row) for row in (0, 1)]


def test_canaries_are_never_contradictory() -> None:
    """A canary is never contradictory, however doubtful, and the step-up leaves it out."""
    judged = judge(
        rows_of(*NINETEEN, *canaries([-99.0])),
        SETTINGS.but({"standing.false_discovery_rate": 1.0}).standing,
        trusted=True,
    )
    assert 0 == judged.counts()["contradictory"]
    alone = judge(
        rows_of(DOUBTED, *NINETEEN),
        SETTINGS.but({"standing.false_discovery_rate": 0.05}).standing,
        trusted=True,
    )
    # 1/20 <= q x 1/1, not q x 1/20
    assert ("noise", "contradictory") == told(alone, 0)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"visits": 2}, ("noise", "contradictory")),
        ({"visits": 1}, ("edge", "new")),
        ({"visits": 2, "stale": True}, ("edge", "doubtful")),
        ({"visits": 9, "stale": True}, ("edge", "doubtful")),
    ],
)
def test_a_relabelled_sample_needs_two_visits_by_versions_new_to_it(
    more: dict[str, float], expected: tuple[str, str]
) -> None:
    """A relabelled sample is contradictory after two visits, but never once it is stale."""
    assert expected == first(DOUBTED | {"relabelled": True} | more, *NINETEEN)


def test_a_sample_never_relabelled_needs_no_second_visit() -> None:
    """A sample with its first label can be contradictory after one visit."""
    assert ("noise", "contradictory") == first(DOUBTED | {"visits": 1}, *NINETEEN)


def test_evidence_is_a_rank() -> None:
    """The lowest recent margin ranks 1, and ties share a rank."""
    rows = rows_of({"margin": 5.0}, {"margin": 0.0}, {"margin": 0.0}, {"margin": -5.0})
    assert [1 / 4, 2.5 / 4, 2.5 / 4, 4 / 4] == evidence_of(rows).tolist()


def test_a_rare_label_is_not_doubted_for_being_rare() -> None:
    """Where a model gives each label its share of the samples, all samples have equal evidence."""
    # one yes of nine samples, and each count is raised by one
    log_odds = float(np.log((1 + 1) / (9 - 1 + 1)))
    rows = rows_of({"label": 1, "margin": log_odds}, *[{"label": 0, "margin": -log_odds}] * 8)
    assert [5 / 9] * 9 == pytest.approx(evidence_of(rows))


def test_a_sample_is_held_against_canaries_as_they_were_when_it_was_scored() -> None:
    """A sample is compared with the canaries under the version that scored the sample last."""
    rows = rows_of({"margin": -1.0}, {"margin": -1.0}, *NINETEEN)
    places, margins = rows.canaries.at(1)
    rows.canaries = Canaries()
    # -9 to 9: version 1 knew them less
    rows.canaries.saw(1, places, margins - 10, margins - 10)
    rows.canaries.saw(2, places, margins, margins)
    rows["last_version"][1:] = 2
    judged = judge(rows, SETTINGS.standing, trusted=True)
    assert [10 / 20, 1 / 20] == judged.p_value[:2].tolist()


def test_samples_of_a_version_that_scored_too_few_canaries_have_no_p_value() -> None:
    """They stand in edge for want of canaries, and the other samples are judged as usual."""
    rows = rows_of(DOUBTED, DOUBTED, *NINETEEN)
    rows["last_version"][0] = 7
    judged = judge(rows, SETTINGS.standing, trusted=True)
    assert [("edge", "too few canaries"), ("noise", "contradictory")] == [
        told(judged, row) for row in (0, 1)
    ]
    assert "given" == judged.verdict


def test_an_empty_partition_has_an_empty_judgement() -> None:
    """An empty partition has an empty judgement."""
    judged = judge(Rows(), SETTINGS.standing, trusted=True)
    assert ({"core": 0, "edge": 0, "contradictory": 0, "spent": 0}, 0) == (
        judged.counts(),
        judged.canaries,
    )


def test_the_part_of_a_canary_is_what_makes_it_one() -> None:
    """The same rows as stream samples are no canaries."""
    as_samples = [{**one, "part": CANARY - 1} for one in NINETEEN]
    assert (
        "too few canaries"
        == judge(rows_of(DOUBTED, *as_samples), SETTINGS.standing, trusted=True).verdict
    )
