"""Evidence that learns from confirmed samples, through the history of every engine."""

from uuid import UUID

import numpy as np
import pytest

from mainstem.answers.gate import shares_of
from mainstem.behaviour import FEATURE_NAMES
from mainstem.cli.story import said
from mainstem.importance import Rows
from mainstem.join import PARTS, PlacedSample
from mainstem.learning.draws import StoredPool
from mainstem.responses import Responses
from mainstem.scoring.answered import Answered
from mainstem.scoring.held import apart
from mainstem.scoring.judging import At, Judging
from mainstem.scoring.kept import kept_of
from mainstem.scoring.rebuilding import rebuilt
from mainstem.settings import Settings
from mainstem.standing import Judgement
from mainstem.store import Store
from mainstem.store import store as store_module
from mainstem.store.features import write_features
from mainstem.store.positions import accepted_without_response
from mainstem.store.story import MOVES
from mainstem.store.telling import GATE_SETS
from mainstem.store.writes import position_columns, trusted_columns
from tests.learning.samples import stored

SETTINGS = Settings.of({"standing.canary_minimum": 40, "standing.divisions": 1})
COUNT = 400


def shop(store: Store) -> list[PlacedSample]:
    """Samples whose words tell the truth, of which the log calls many a wrong yes.

    Every third one is confirmed, in turn for direction, canaries and gate.
    """
    random = np.random.default_rng(1)
    truth = (random.random(COUNT) < 0.2).astype(int)
    given = np.where((truth == 0) & (random.random(COUNT) < 0.4), 1, truth).tolist()
    parts = [("direction", "canary", "canary", "gate")[one // 3 % 4] for one in range(COUNT)]
    samples = [
        stored(one, label=int(truth[one]), part=parts[one], given=given[one])
        if one % 3 == 0
        else stored(one, label=given[one])
        for one in range(COUNT)
    ]
    values = np.zeros((COUNT, len(FEATURE_NAMES)), np.float32)
    values[:, FEATURE_NAMES.index("words_query")] = 3 * truth + random.normal(size=COUNT) * 0.3
    write_features(store, samples, values, [("impression", "mugs")] * COUNT)
    confirmed = [(one.sample_id, one.part, "confirmed", one.label) for one in samples[::3]]
    store.write("trusted", trusted_columns(confirmed))
    return samples


def scored(store: Store, samples: list[PlacedSample], version: int) -> Answered:
    """The visits of samples by a version, written to the history."""
    random = np.random.default_rng(version)
    sign = np.array([2 * one.label - 1 for one in samples])
    margin = (random.normal(size=len(samples)) * sign).astype(np.float32)
    some, none = np.ones(len(samples), np.float32), np.zeros((len(samples), 0), np.float32)
    answered = Answered.by(version, 1.0, samples, Responses(some, some, margin, none, none, None))
    answered.keep(store)
    return answered


def lived(store: Store) -> tuple[Rows, Rows, Judgement]:
    """Rows after two versions and a judgement, live."""
    rows, held, samples = Rows(), Rows(), shop(store)
    for version in (1, 2):
        for _, visits in scored(store, samples, version).visits():
            for some, its in apart(visits, rows, held):
                some.visit(its)
    judging = Judging(store, SETTINGS, lambda standings: None)  # noqa: ARG005 - publishes nothing
    judged = judging.judge(rows, held, At(0, COUNT, COUNT, 2), trusted=True, last=False)
    return rows, held, judged


def test_rows_of_confirmed_samples_are_rebuilt_as_they_were(store: Store) -> None:
    """Given labels, scores and weights come back, and so do the rows that are held out."""
    rows, held, _ = lived(store)
    again = rebuilt(store, {0: COUNT}, 2, left={0: 0}, sketch=0)
    for live, back in ((rows, again.rows[0]), (held, again.held[0])):
        for name in live:
            assert np.array_equal(live[name], back[name]), name
        assert np.array_equal(live.canaries.scores_at(2), back.canaries.scores_at(2))
    assert 0 < len(held) < len(rows)
    assert COUNT == len(rows) + len(held)


def test_a_move_keeps_what_each_part_says(store: Store) -> None:
    """A judgement says what decided; a move has the probability, the weight and the parts."""
    rows, _, judged = lived(store)
    assert [("combined",)] == store.rows("SELECT DISTINCT decides FROM judgements")
    assert judged.verdicts
    found = store.rows("SELECT sample_id, probably_right, weight, parts, say FROM moves_now")
    assert len(rows) == len(found)
    place = rows.row_of(found[0][0])
    weighed = judged.verdicts.weighed
    assert weighed.right[place] == found[0][1]
    assert np.float32(judged.weight[place]) == np.float32(found[0][2])
    assert (list(weighed.parts), weighed.say[place].astype(np.float32).tolist()) == (
        list(found[0][3]),
        list(found[0][4]),
    )


def test_logits_and_representations_are_read_by_version(store: Store) -> None:
    """Logits are of each row's last version, representations of one that has read nearly all."""
    rows, samples, random, of_all = Rows(), shop(store), np.random.default_rng(0), None
    some, none = np.ones(COUNT, np.float32), np.zeros((COUNT, 0), np.float32)
    for version, among in ((1, range(COUNT)), (2, range(100)), (3, range(COUNT))):
        logits = random.normal(size=(COUNT, 3)).astype(np.float32)
        read = random.normal(size=(COUNT, 4)).astype(np.float16)
        taken = [samples[one] for one in among]
        columns = (some, some, some, none, none, logits, read)
        answered = Answered.by(
            version, 1.0, taken, Responses(*[one[: len(taken)] for one in columns])
        )
        answered.keep(store, 10**12)
        [(_, visits)] = answered.visits()
        rows.visit(visits)
        found = kept_of(store, [rows], 0, COUNT, classes=3, representations=True)
        assert np.array_equal(found.logits[: len(taken)], logits[: len(taken)])
        assert np.isfinite(found.logits).all()
        of_all = read if version != 2 else of_all
        assert np.array_equal(found.representation, of_all)
    most = kept_of(store, [rows], 0, COUNT - 30, classes=3, representations=True)
    assert most.representation is None
    canaries = [one for one, sample in enumerate(samples) if sample.part == "canary"]
    said = dict(zip(found.canaries[3].keys.tolist(), found.canaries[3].logits, strict=True))
    assert {np.bytes_(samples[one].sample_id.bytes).item() for one in canaries} == set(said)
    own = [said[np.bytes_(samples[one].sample_id.bytes).item()] for one in canaries]
    assert np.array_equal(logits[canaries], own)
    assert (COUNT, len(FEATURE_NAMES)) == found.features.shape


def test_the_sets_are_measured_on_the_gate(store: Store) -> None:
    """Confirmed gate samples are counted by set, and fewer of core are wrong than of all."""
    _, held, judged = lived(store)
    _, rows = store.ask(GATE_SETS)
    shares = {name: more for name, *more in shares_of(rows)}
    gate = held["part"] == PARTS.index("gate")
    wrong = gate & (held["given"] != held["label"])
    assert [gate.sum(), wrong.sum()] == shares["all"][:2]
    assert [judged.measured.gate_core, judged.measured.gate_core_wrong] == shares["core"][:2]
    assert shares["noise"][1] > 0 == shares["core"][1]


def test_moves_of_a_history_from_before_say_that_the_margin_decided(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The story of a sample can be asked of a server's history that lacks the newest columns."""
    everything = list(store_module.migrations())
    monkeypatch.setattr(
        store_module, "migrations", lambda: [one for one in everything if one[0] < 12]
    )
    with Store(url) as old:
        old.write("moves", {"sample_id": [UUID(int=1)], "standing": ["edge"], "reason": ["new"]})
        [move] = MOVES.of(old, sample=UUID(int=1))
    assert (None, 1.0, [], [], "recent margin") == (
        move.probably_right,
        move.weight,
        move.parts,
        move.say,
        move.decides,
    )


def test_a_story_says_what_decided(store: Store) -> None:
    """`explain` prints what decided, and what each part of learnt evidence says of the label."""
    rows, _, _ = lived(store)
    verdicts = [one._asdict() for one in MOVES.of(store, sample=rows.id_of(0))]
    decided, each = said(verdicts)
    assert "decided by     combined: right with probability" in decided
    assert [part for part in ("margin", "score", "truth") if f"{part} " in each] == list(
        verdicts[-1]["parts"]
    )


def test_no_round_draws_what_is_held_out_and_others_have_their_weights(store: Store) -> None:
    """The pool of a round holds no sample of direction or gate, and the weights of the rest."""
    rows, _, _ = lived(store)
    pool = StoredPool(store)
    drawable = {pool.id_of(row): pool["weight"][row] for row in range(len(pool["weight"]))}
    assert {rows.id_of(row): rows["weight"][row] for row in range(len(rows))} == drawable


def test_held_out_samples_count_as_samples_without_a_row(store: Store) -> None:
    """Confirmed samples of direction and gate are remembered as accepted after a restart."""
    samples = shop(store)
    store.write("positions", position_columns(samples, range(COUNT)))
    scored(store, samples, 1)
    expected = {one.sample_id for one in samples if one.part in {"direction", "gate"}}
    assert expected == {one.sample_id for one in accepted_without_response(store, 0, COUNT, 0)}
    assert UUID(int=0) in expected
