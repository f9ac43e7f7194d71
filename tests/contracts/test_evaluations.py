"""Evaluations, what slices are made of, and the comparison with counting, on every engine."""

from uuid import UUID

import msgspec

from mainstem.store import Store
from mainstem.store.evaluations import (
    EVALUATIONS,
    KeptEvaluation,
    SliceFacts,
    frequent_queries,
    slice_facts,
    write_evaluations,
)
from mainstem.store.rounds import KeptRound, useful_epochs, write_round
from mainstem.store.versions import VERSIONS_TOLD, KeptVersion, write_version
from mainstem.store.writes import sample_columns
from tests.trainer.fakes import sample

DAY = 24 * 3_600_000
NOW = 200 * DAY


def asked(store: Store, query: str, times: int, first: int, *, at: int = NOW) -> None:
    """Write questions with a query, each of one item."""
    made = [
        msgspec.structs.replace(
            sample(number),
            question_id=UUID(int=number),
            query=query,
            event_time=at,
            category="cups",
            item_age=5 * DAY,
        )
        for number in range(first, first + times)
    ]
    store.write("samples", sample_columns([(one, 0, first + n) for n, one in enumerate(made)]))


def evaluation(version: int, of_round: int, name: str, auc: float, **more: float) -> KeptEvaluation:
    """Make a row of an evaluation."""
    known = dict.fromkeys(KeptEvaluation._fields) | {"questions": 3, "samples": 9}
    return KeptEvaluation(
        **{**known, "version": version, "round": of_round, "slice": name, "auc": auc, **more}
    )


def test_a_third_of_the_questions_is_head_and_another_third_torso(store: Store) -> None:
    """The most frequent queries are head; questions of long ago and of later do not count."""
    asked(store, "cup", 4, 0)
    asked(store, "red cup", 3, 10)
    asked(store, "pot", 2, 20)
    asked(store, "pan", 1, 30)
    asked(store, "", 20, 40)
    asked(store, "pan", 20, 60, at=NOW - 91 * DAY)
    asked(store, "pan", 20, 80, at=NOW + 1)
    facts = slice_facts(store, [sample(number).sample_id for number in (0, 10, 20, 30, 40, 999)])
    frequent = frequent_queries(store, NOW + 1)
    told = {
        number: frequent.get(facts[sample(number).sample_id].query, "tail")
        for number in (0, 10, 20, 30)
    }
    assert {0: "head", 10: "torso", 20: "tail", 30: "tail"} == told
    assert sample(999).sample_id not in facts
    no_query = facts[sample(40).sample_id]
    assert SliceFacts(sample(40).sample_id, UUID(int=40), 0, "cups", 5 * DAY) == no_query


def test_more_samples_than_fit_into_one_statement(store: Store) -> None:
    """Facts of thousands of samples are read, each once, whatever its label versions."""
    asked(store, "cup", 2100, 0)
    asked(store, "cup", 10, 0)
    ids = [sample(number).sample_id for number in range(2100)]
    assert set(ids) == set(slice_facts(store, ids))
    assert {} == slice_facts(store, [])


def test_a_version_is_told_beside_counting(store: Store) -> None:
    """A version beats counting if it is above all that is known, on what the gate judged it on."""
    for version in range(5):
        parent = version - 1 if version else None
        write_version(store, KeptVersion(version, parent, NOW, 1, "", "", ""))
        if version:
            known = dict.fromkeys(KeptRound._fields, 0) | {"offsets": [9], "reason": ""}
            judged_on = "held_out" if version == 3 else "gate"
            write_round(store, KeptRound(**(known | {"version": version, "judged_on": judged_on})))
    rows = [
        evaluation(1, 1, "gate", 0.7, popularity=0.8, logistic=0.6),
        evaluation(2, 2, "gate", 0.7, popularity=0.6),
        evaluation(1, 2, "gate", 0.1, popularity=0.2),  # the parent, measured again
        evaluation(3, 3, "gate", 0.1, popularity=0.2),
        evaluation(3, 3, "held_out", 0.9, popularity=0.6, logistic=0.9),
        evaluation(3, 0, "later", 0.75),
        evaluation(4, 4, "gate", 0.7),
    ]
    write_evaluations(store, rows)
    told = [(one.auc, one.beats_counting) for one in VERSIONS_TOLD.of(store)]
    assert [(None, None), (0.7, 0), (0.7, 1), (0.9, 0), (0.7, None)] == told
    assert [None, None, None, 0.75, None] == [one.auc_later for one in VERSIONS_TOLD.of(store)]
    slices = [(one.version, one.slice) for one in EVALUATIONS.of(store) if one.version in (1, 3)]
    assert [(1, "gate"), (3, "gate"), (3, "held_out"), (3, "later")] == slices


def test_a_round_knows_the_passes_of_those_before_it(store: Store) -> None:
    """The useful passes of earlier rounds are read in their order, and of a repeated one once."""
    known = dict.fromkeys(KeptRound._fields, 0) | {"offsets": [9], "reason": "", "judged_on": ""}
    for version, epochs in ((2, 1), (1, 3), (3, 0), (4, 9), (2, 2)):
        write_round(store, KeptRound(**(known | {"version": version, "epochs": epochs})))
    assert [3, 2, 0] == useful_epochs(store, 4)
    assert [] == useful_epochs(store, 1)
