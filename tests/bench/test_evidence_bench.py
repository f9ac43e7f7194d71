"""The bench of evidence, on columns and cells made here."""

from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mainstem.bench.evidence.claims import NONE, ORACLE, SOUND, Found, claims_of
from mainstem.bench.evidence.columns import Columns, in_rows
from mainstem.bench.evidence.frozen import frozen_of
from mainstem.bench.evidence.head import HeadData, held_out, readable, right_of_truth
from mainstem.bench.evidence.homes import Cell, Homes, Turning
from mainstem.bench.evidence.logs import plant_of, write_log
from mainstem.bench.evidence.measures import Judged, average_precision, measures_of
from mainstem.bench.evidence.reveal import Revealed, of_questions, of_samples, with_sound
from mainstem.bench.evidence.run import measured
from mainstem.bench.evidence.streams import QUICK, STREAMS, Stream
from mainstem.bench.evidence.texts import Texts, given_labels, labelled
from mainstem.bench.evidence.truths import read_truths, write_truths
from mainstem.bench.evidence.weighing import COMBINATION, Weighing, read_once
from mainstem.evidence import Known, Trusted
from mainstem.ids import uuid_of
from mainstem.importance import Rows, Visits
from mainstem.join import Facts
from mainstem.settings import Settings
from mainstem.store.described import Described

SETTINGS = Settings.of({"standing.canary_minimum": 50})
MANY = 1200


def rows_of(label: np.ndarray, *, visits: int = 2) -> Rows:
    """Rows of samples with random responses; every tenth sample is a canary."""
    random, rows, count = np.random.default_rng(3), Rows(), len(label)
    numbers = np.arange(count)
    parts = np.where(numbers % 10 == 0, 2, 0)
    zeros = np.zeros(count, np.int64)
    facts = Facts(zeros, zeros, numbers, numbers, label, parts, label)
    keys = [uuid_of("sample", str(row), "").bytes for row in range(count)]
    for version in range(1, visits + 1):
        norm, margin = random.exponential(1, count), random.normal(size=count)
        told = {"norm": norm, "margin": margin, "loss": norm}
        rows.visit(Visits(version=version, scale=1.0, keys=keys, facts=facts, **told))
    return rows


def columns(*, wrong: float = 0.4, seed: int = 0) -> Columns:
    """Samples of two classes that features tell apart; a share of the given yes is wrong."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, MANY)
    feature = 2.5 * truth[:, None] + random.normal(size=(MANY, 2))
    label = np.where((truth == 0) & (random.random(MANY) < wrong), 1, truth)
    rows = rows_of(label)
    described = [
        Described(rows.id_of(row), UUID(int=row // 2), "impression", "", "", "")
        for row in range(MANY)
    ]
    return Columns(rows, Known(label, features=feature), truth, described)


@pytest.fixture(scope="module")
def made() -> Columns:
    """Columns of one home."""
    return columns()


def test_average_precision_is_that_of_scikit_learn() -> None:
    """Ties included."""
    random = np.random.default_rng(0)
    wrong, doubt = random.random(300) < 0.2, random.integers(0, 20, 300).astype(float)
    assert average_precision(wrong, doubt) == pytest.approx(average_precision_score(wrong, doubt))
    assert average_precision(np.zeros(3, bool), np.zeros(3)) is None


def test_measures_of_a_judgement() -> None:
    """Wrong labels are found, and counted in the standings; trusted samples are left out."""
    label, truth = np.array([1, 1, 0, 0, 1, 1]), np.array([0, 1, 0, 0, 0, 0])
    judged = Judged(
        np.array([3.0, 0, 1, 0, 2, 9]),
        np.array([1, 0, 1, 0, 0, 1], bool),
        np.array([2, 1, 0, 1, 1, 0]),
    )
    among = np.array([1, 1, 1, 1, 1, 0], bool)
    found = measures_of(judged, label, truth, np.array([0, 1, 1, 0, 0, 0], bool), among)
    assert (found["auroc"], found["auroc_within"]) == (1.0, {"0": None, "1": 1.0})
    assert (found["called"], found["found"], found["false"]) == (2, 0.5, 0.5)
    assert found["core_wrong"] == pytest.approx(1 / 3)
    assert (found["edge_wrong"], found["all_wrong"], found["core"]) == (0.0, 0.4, 0.6)


def test_trusted_sets_are_nested_and_have_a_gate_part(made: Columns) -> None:
    """More trusted samples never replace others; those of one question are in one part."""
    questions = [one.question_id for one in made.described]
    few, many = (of_samples(made.truth, questions, count, SETTINGS) for count in (100, 400))
    assert (100, 400) == (len(few), len(many))
    assert set(few.rows) < set(many.rows)
    assert 0 < len(many.measures) < len(many.teaches)
    assert not set(many.measures.rows // 2) & set(many.teaches.rows // 2)
    tenth = of_questions(made.truth, questions, 0.1, SETTINGS)
    assert 0.05 * MANY < len(tenth) < 0.15 * MANY
    assert len(tenth) == 2 * len(set(tenth.rows // 2))


def test_a_set_with_sound_samples_has_exactly_as_many(made: Columns) -> None:
    """It holds wrong ones too, as they come, and another draw holds others."""
    label, truth = made.known.label, made.truth
    one, other = (with_sound(label, truth, 200, (0, draw)) for draw in range(2))
    assert (label[one.rows] == truth[one.rows]).sum() == 200 < len(one)
    assert set(one.rows) != set(other.rows)


def test_evidence_learns_from_a_revealed_set_and_leaves_the_rows_as_they_were(
    made: Columns,
) -> None:
    """With trusted samples wrong labels are called and core is sound; without, none is called."""
    parts, before = read_once(made.known), made.rows["part"].copy()
    questions = [one.question_id for one in made.described]
    nothing = Revealed(Trusted(), Trusted())
    without = Weighing.of(made, nothing, parts, SETTINGS.standing)
    assert not without.judged[COMBINATION].called.any()
    revealed = of_samples(made.truth, questions, 400, SETTINGS)
    found = Weighing.of(made, revealed, parts, SETTINGS.standing)
    assert ("combined", {COMBINATION, "truth"}) == (found.decides, set(found.judged))
    wrong, called = made.known.label != made.truth, found.judged[COMBINATION].called
    assert called.sum() > 30
    assert wrong[called].mean() > 0.7
    assert not called[revealed.rows].any()
    assert found.weights[wrong].mean() < found.weights[~wrong].mean() - 0.3
    assert (made.rows["part"] == before).all()


def test_cells_of_a_home(made: Columns) -> None:
    """Each has all keys, and heads are trained without trusted samples and with 500."""
    keys = {"stream", "evidence", "trusted", "seed", "auroc", "ap", "called", "found", "false"}
    keys |= {"core_wrong", "edge_wrong", "all_wrong", "auc_true"}
    cells = list(measured(Cell(QUICK[1], 4), made, SETTINGS))
    assert all(keys <= set(one) for one in cells)
    assert {0, 200, 500} == {one["trusted"] for one in cells}
    trained = [(one["evidence"], one["trusted"]) for one in cells if one["auc_true"] is not None]
    assert sorted((name, count) for name in (COMBINATION, NONE, ORACLE) for count in (0, 500)) == (
        sorted(trained)
    )
    [ours] = [one for one in cells if one["evidence"] == COMBINATION and one["trusted"] == 500]
    assert ours["auroc"] > 0.8


def test_heads_prefer_true_labels_and_hard_samples_are_unlikely(made: Columns) -> None:
    """A head of the true labels is better than one of wrong ones; the held-out part is apart."""
    features, truth = readable([made.known.features], MANY), made.truth
    test = held_out(np.arange(MANY) // 2, 0)
    assert 0.1 < test.mean() < 0.3
    heads = HeadData(features, ~test, features[test], truth[test], 2)
    ones = np.ones(MANY)
    noisy, clean = heads.quality(made.known.label, ones), heads.quality(truth, ones)
    assert noisy
    assert clean
    assert noisy.accuracy < clean.accuracy
    assert heads.quality(truth, np.zeros(MANY)) is None
    assert right_of_truth(features, truth, 2).mean() > 0.8


def cell(evidence: str, seed: int = 0, **more: Any) -> dict[str, Any]:
    """A cell of the stream with human noise, or of another one."""
    known = {"stream": "noisy_agnews_10k, human", "trusted": 500, "revealed": "samples"}
    names = "auroc ap auroc_within called found false core core_wrong all_wrong accuracy_true"
    names += " accuracy_fine_tuned"
    return {**dict.fromkeys(names.split()), **known, "evidence": evidence, "seed": seed, **more}


def test_claims_are_the_eight_rows_true_or_not() -> None:
    """A row that was not measured has nulls, and one that fails says which measure is weakest."""
    cells = [
        cell(COMBINATION, seed, auroc=0.91, ap=0.70 + seed / 100, accuracy_true=0.86)
        for seed in range(3)
    ]
    cells += [cell(NONE, seed, accuracy_true=0.80) for seed in range(3)]
    cells += [cell(ORACLE, seed, accuracy_true=0.88) for seed in range(3)]
    cells += [cell(COMBINATION, 0, revealed=SOUND, found=0.3, false=0.05)]
    rows = claims_of(Found(cells, STREAMS))
    assert 8 == len(rows)
    assert all({"name", "now", "reach", "mean", "low", "high", "holds"} <= set(one) for one in rows)
    one_sided, human, _, plain, _, power, gap, tuned = rows
    assert (None, None, None) == (one_sided["holds"], plain["holds"], tuned["holds"])
    assert (False, "AP with 500 trusted") == (human["holds"], human["weakest"])
    assert human["mean"] == pytest.approx(0.71)
    assert human["low"] < human["mean"] < human["high"]
    assert (True, True) == (power["holds"], gap["holds"])
    assert gap["mean"] == pytest.approx(0.75)


def test_the_combination_is_compared_with_the_best_part_of_each_stream() -> None:
    """Whole, and within the label that has the errors; core holds at most half of the errors."""
    [stream] = [one for one in STREAMS if one.noisy_label == 1]

    def of(evidence: str, whole: float, within: float) -> dict[str, Any]:
        told = {"auroc": whole, "auroc_within": {"0": 0.1, "1": within}}
        shares = {"core": 0.2, "core_wrong": 0.05, "all_wrong": 0.2}
        return cell(evidence, stream=stream.name, **told, **shares)

    cells = [of(COMBINATION, 0.95, 0.80), of("score", 0.955, 0.7), of("truth", 0.9, 0.82)]
    first, _, core, *_ = claims_of(Found(cells, [stream]))
    assert [-0.005, -0.02] == [pytest.approx(one["mean"]) for one in first["measures"]]
    assert (False, True) == (first["holds"], core["holds"])
    assert "within" in first["weakest"]


def test_homes_are_made_once_and_a_half_made_one_again(tmp_path: Path) -> None:
    """A preparation goes on with what is missing, and says how long it takes."""
    stream = Stream(name="tiny", shop=MappingProxyType({"plain": True, "users": 50}), events=200)
    cells = [Cell(stream, seed) for seed in range(3)]
    homes, said, made = Homes(tmp_path, cells, None, Settings()), list[str](), list[int]()

    def make(log: Path, home: Path, settings: Settings, turning: Turning | None) -> None:
        assert (True, None) == (log.stat().st_size > 0, turning)
        if len(made) == 1:
            made.append(-1)
            raise KeyboardInterrupt
        home.mkdir()
        made.append(settings.run.seed)

    with pytest.raises(KeyboardInterrupt):
        homes.prepare(make, said.append)
    homes.prepare(make, said.append)
    homes.prepare(make, said.append)
    assert [0, -1, 1, 2] == made
    assert [] == homes.missing
    assert said[0].startswith("home 1 of 3: tiny, seed 0; about 12 minutes left")
    assert "about 0 minutes" in said[2]


def test_texts_without_data_cannot_be_made(tmp_path: Path) -> None:
    """The streams of labelled texts are left out where no folder holds them."""
    cells = [Cell(stream, 0) for stream in STREAMS]
    homes = Homes(tmp_path, cells, tmp_path, Settings())
    left = {one.stream.name for one in cells if not homes.can_be_made(one)}
    assert {"noisy_agnews_10k, human", "noisy_agnews_10k, flipped"} == left


def test_the_truth_of_a_shop_is_kept_by_sample(tmp_path: Path) -> None:
    """Unknown samples have the truth -1."""
    stream = Stream(name="tiny", shop=MappingProxyType({"plain": True, "users": 50}), events=200)
    log = write_log(stream, 1, tmp_path, tmp_path / "truth", None)
    rows = np.frombuffer((tmp_path / "truth").read_bytes(), np.uint8).reshape(-1, 17)
    keys = [row[:16].tobytes() for row in rows]
    assert log.read_bytes().count(b"\n") > 100
    assert rows[:, 16].tolist() == read_truths(tmp_path / "truth", keys).tolist()
    assert [-1] == read_truths(tmp_path / "truth", [b"0" * 16]).tolist()


def test_a_planted_stream_remembers_the_labels_before(tmp_path: Path) -> None:
    """Only the excerpt is planted on its way in."""
    [excerpt] = [one for one in STREAMS if one.made_of == "excerpt"]
    assert plant_of(STREAMS[0], 0) is None
    plant = plant_of(excerpt, 0)
    assert plant
    assert "plant 0.2 from seed 0" == Turning(plant).name
    write_truths(tmp_path / "truth", {UUID(int=1): 3}.items())
    assert [3] == read_truths(tmp_path / "truth", [UUID(int=1).bytes]).tolist()


def texts(count: int) -> Texts:
    """Texts of four classes with a fifth of the labels wrong."""
    truth = np.arange(count) % 4
    given = np.where(np.arange(count) % 5 == 0, (truth + 1) % 4, truth)
    return Texts([f"text {row}" for row in range(count)], given, truth, ["test"], truth[:1])


def test_labelled_texts_have_labels_of_people_or_turned_ones() -> None:
    """A turned label is another class; the order depends on the seed."""
    some = texts(1000)
    assert (given_labels(some, None, 0) == some.given).all()
    turned = given_labels(some, 0.2, 0)
    assert 0.15 < (turned != some.truth).mean() < 0.25
    events = list(labelled(some, turned, 0))
    assert sorted(int(one.event_id) for one in events) == list(range(1000))
    assert [one.event_id for one in events] != [one.event_id for one in labelled(some, turned, 1)]
    assert events[0].text == f"text {events[0].event_id}"


def test_frozen_features_are_computed_once_and_put_in_rows(tmp_path: Path) -> None:
    """The second time they come from the file; each sample gets those of its text."""
    asked: list[int] = []

    def embed(model: str, words: Any) -> Any:
        asked.append(len(words))
        return np.arange(len(words), dtype=np.float16)[:, None] + len(model)

    for _ in range(2):
        found = frozen_of("m", texts(20), tmp_path, embed)
    assert [20, 1] == asked
    rows = rows_of(np.zeros(20, np.int64), visits=1)
    assert (in_rows(found.train, rows)[:, 0] == np.arange(1, 21)).all()
