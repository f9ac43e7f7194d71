"""Windows and labels: which question an outcome answers, and which label results."""

from itertools import permutations

import pytest

from mainstem.join import digest_of
from tests.join.shop import cart, click, impression, join, purchase, return_, view

ASKED = impression("q", 1000, "cup", "mug")


def test_each_item_of_an_impression_becomes_a_sample() -> None:
    """The clicked item is answered yes and the other no, both at their first label version."""
    joined = join(ASKED, click("c", 1050, "cup"))
    assert ([(1, 1)], [(0, 0)]) == (joined.of("cup"), joined.of("mug"))
    assert joined.counts == {"question": 1, "outcome": 1, "joined": 1, "answered": 1}
    assert [sample.outcomes for sample in joined.samples] == [("click",), ()]


def test_an_item_shown_twice_is_one_sample() -> None:
    """An impression that repeats an item asks about it once."""
    assert [(0, 0)] == join(impression("q", 1000, "cup", "mug", "cup")).of("cup")


@pytest.mark.parametrize("outcome", [click, cart, purchase])
def test_every_outcome_but_a_return_answers_yes(outcome) -> None:
    """A click, a cart or a purchase answers yes."""
    joined = join(view("q", 1000), outcome("o", 1050))
    assert joined.of("cup") == [(1, 1)]
    assert [sample.source for sample in joined.samples] == ["view"]


@pytest.mark.parametrize(
    ("time", "versions", "count"),
    [
        (999, [(0, 0)], "orphaned"),
        (1000, [(1, 1)], "joined"),
        (1100, [(1, 1)], "joined"),
        (1101, [(0, 0), (1, 1)], "revised"),
        (2000, [(0, 0), (1, 1)], "revised"),
        (2001, [(0, 0)], "late"),
        (3000, [(0, 0)], "late"),
        (3001, [(0, 0)], "orphaned"),
    ],
)
def test_windows_hold_their_ends(time: int, versions: list[tuple[int, int]], count: str) -> None:
    """The end of a window belongs to it, and a question lasts for two revision windows."""
    joined = join(view("q", 1000), click("c", time))
    assert versions == joined.of("cup")
    assert joined.counts[count] == 1


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_a_question_comes_before_its_outcome_at_the_same_time(ids: tuple[str, str]) -> None:
    """An outcome at the time of its question answers it, whatever the ids and the order."""
    asked, answered = view(ids[0], 1000), click(ids[1], 1000)
    assert [[(1, 1)]] * 2 == [join(*log).of("cup") for log in permutations([asked, answered])]


def test_a_return_takes_the_answer_back() -> None:
    """A return revises yes to no, and a purchase after it revises no to yes."""
    joined = join(view("q", 1000), purchase("p", 1050), return_("r", 1500), purchase("p2", 1600))
    assert joined.of("cup") == [(1, 1), (2, 0), (3, 1)]
    assert ("purchase", "return", "purchase") == joined.samples[-1].outcomes
    assert joined.counts == {"question": 1, "outcome": 3, "joined": 1, "revised": 2, "answered": 1}


def test_the_label_version_counts_the_outcomes_folded_in() -> None:
    """All outcomes in the label window make one first label, and each later one a new version."""
    outcomes = [click("c", 1010), cart("a", 1020), purchase("p", 1100), return_("r", 1200)]
    assert join(view("q", 1000), *outcomes).of("cup") == [(3, 1), (4, 0)]


def test_a_revision_repeats_the_sample_but_for_its_answer() -> None:
    """A revised sample keeps its id, texts and time, and has another digest."""
    first, second = join(
        view("h", 900, "mug"), view("q", 1000), click("c", 1500), view("z", 1600, "pot")
    ).samples[1:3]
    assert first.sample_id == second.sample_id
    assert ("mug", 1000) == (first.context_text, first.event_time)
    assert first.context_text == second.context_text
    assert digest_of(first) != digest_of(second)


def test_an_outcome_answers_the_latest_question_on_its_item() -> None:
    """Without an impression id an outcome answers the newest earlier question on its item."""
    joined = join(ASKED, view("v", 1020, "cup"), view("w", 1030, "mug"), click("c", 1040, "cup"))
    cups = [sample for sample in joined.samples if sample.item_id == "cup"]
    assert [("impression", 0), ("view", 1)] == [(cup.source, cup.label) for cup in cups]


def test_an_outcome_that_names_its_impression_answers_that_one() -> None:
    """An outcome that names its impression answers it, even after newer questions."""
    joined = join(
        ASKED, impression("q2", 1020, "cup"), view("v", 1030), click("c", 1040, impression_id="q")
    )
    assert [sample.label for sample in joined.samples if sample.item_id == "cup"] == [1, 0, 0]


@pytest.mark.parametrize(
    "stray",
    [
        click("c", 1050, "pot"),
        click("c", 1050, user_id="bob"),
        click("c", 1050, impression_id="other"),
    ],
    ids=["item not shown", "another shopper", "unknown impression"],
)
def test_an_outcome_without_a_question_is_orphaned(stray) -> None:
    """An outcome without a question is counted as orphaned and changes no sample."""
    joined = join(ASKED, stray)
    assert [0, 0] == [sample.label for sample in joined.samples]
    assert joined.counts == {"question": 1, "outcome": 1, "orphaned": 1, "expired": 1}


def test_late_compares_event_times_not_the_watermark() -> None:
    """An outcome that arrives long after its question closed is placed by its own event time."""
    joined = join(view("q", 1000), view("z", 1900, "mug"), click("in", 1050), click("after", 1500))
    assert joined.of("cup") == [(0, 0), (1, 1), (2, 1)]
    assert joined.counts == {
        "question": 2,
        "outcome": 2,
        "joined": 1,
        "revised": 1,
        "answered": 1,
        "expired": 1,
    }


def test_nothing_is_answered_before_the_watermark_has_passed() -> None:
    """Until the watermark has passed them, questions are open and outcomes parked."""
    log = (view("q", 1000), click("c", 1050))
    assert join(*log, until=1060).counts == {"question": 1, "outcome": 1, "open": 1, "parked": 1}
    assert join(*log, until=1061).counts == {"question": 1, "outcome": 1, "open": 1, "joined": 1}
    closes = {until: len(join(*log, until=until).samples) for until in (1110, 1111)}
    assert closes == {1110: 0, 1111: 1}


@pytest.mark.parametrize("revision_window", [0, 40, 100])
def test_a_short_revision_window_does_not_cut_the_label_window(revision_window: int) -> None:
    """A shorter revision window leaves the label window as it is, and later outcomes are late."""
    joined = join(
        view("q", 1000), click("c", 1100), click("d", 1101), revision_window=revision_window
    )
    assert joined.of("cup") == [(1, 1)]
    assert joined.counts == {"question": 1, "outcome": 1, "joined": 1, "late": 1, "answered": 1}


def test_disorder_within_grace_changes_nothing() -> None:
    """Events that arrive up to `grace` late give the samples of the ordered log in its order."""
    log = [view("q", 1000), click("c", 1004), return_("r", 1006), click("d", 1008)]
    ordered = join(*log).samples
    assert [ordered] * 24 == [join(*arrived).samples for arrived in permutations(log)]
