"""What evidence knows of a partition: given labels, numbers on one scale, and who teaches."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np

from mainstem.importance import CANARY, STREAM, Rows
from mainstem.join import PARTS
from mainstem.scoring import evidence
from mainstem.scoring.evidence import Said, evidence_on, is_worth_it
from mainstem.scoring.held import apart
from mainstem.scoring.kept import Kept
from mainstem.scoring.known import known_of
from mainstem.settings import Settings
from mainstem.standing import judge
from mainstem.store.visits import CanaryLogits
from tests.importance.visiting import fact, visits

DIRECTION, GATE = PARTS.index("direction"), PARTS.index("gate")
SETTINGS = Settings.of({"standing.canary_minimum": 40, "standing.divisions": 1})


def a_partition(
    samples: int, *, confirmed: bool = True
) -> tuple[Rows, Rows, dict[str, np.ndarray], Kept]:
    """Rows of a partition in which two thirds of the yes of the log are wrong.

    Returns:
        The rows that are judged, those that are held out, the truth and the log's labels by sample
        number, and features that tell the truth.
    """
    random = np.random.default_rng(5)
    truth = (random.random(samples) < 0.2).astype(int)
    given = np.where((truth == 0) & (random.random(samples) < 0.4), 1, truth)
    part = random.choice([STREAM, CANARY, DIRECTION, GATE], samples, p=[0.7, 0.15, 0.05, 0.1])
    vouched = (part != STREAM) & confirmed
    label = np.where(vouched, truth, given)
    logit = random.normal(size=samples) + truth
    ids = [UUID(int=number + 1) for number in range(samples)]
    made = visits(
        version=1,
        scale=1.0,
        ids=ids,
        facts=[
            fact(offset=number, label=int(label[number]), part=int(part[number]))
            for number in range(samples)
        ],
        norm=np.ones(samples),
        margin=np.float32((2 * label - 1) * logit),
        loss=np.ones(samples),
        given=np.where(vouched, given, -1),
    )
    rows, held = Rows(), Rows()
    for some, its in apart(made, rows, held):
        some.visit(its)
    features = random.normal(size=(samples, 8)) * 0.3 + 3 * truth[:, None]
    order = np.concatenate([numbers_of(rows), numbers_of(held)])
    kept = Kept(features[order].astype(np.float32))
    return rows, held, {"truth": truth, "given": given}, kept


def numbers_of(rows: Rows) -> np.ndarray:
    """The numbers of the samples in rows."""
    return np.array([rows.id_of(row).int - 1 for row in range(len(rows))])


def test_a_confirmed_sample_is_known_by_the_label_of_the_log() -> None:
    """The labels are the log's, and scores do not depend on which label a visit was made with."""
    rows, held, known_to_us, kept = a_partition(400)
    found = known_of(rows, held, kept)
    order = np.concatenate([numbers_of(rows), numbers_of(held)])
    assert known_to_us["given"][order].tolist() == found.known.label.tolist()
    assert known_to_us["truth"][order][found.trusted.rows].tolist() == found.trusted.truth.tolist()
    wrong = known_to_us["given"] != known_to_us["truth"]
    assert (~wrong)[order][found.measured].tolist() == found.correct.tolist()
    logit = np.concatenate([rows["score"], held["score"]])
    score = found.known.scores[:, 1]
    assert np.argsort(np.argsort(logit))[score.argmax()] > 0.9 * len(logit)
    assert np.corrcoef(logit, score)[0, 1] > 0.9
    turned = np.sign(found.known.margin) == np.sign(score) * (2 * found.known.label - 1)
    assert turned[score != 0].all()


def test_canaries_and_direction_teach_and_the_gate_only_measures() -> None:
    """No sample of the gate is among the teachers, and no sample of the stream is in either."""
    rows, held, _, kept = a_partition(400)
    found = known_of(rows, held, kept)
    part = np.concatenate([rows["part"], held["part"]])
    assert {CANARY, DIRECTION} == set(part[found.trusted.rows].tolist())
    assert {GATE} == set(part[found.measured].tolist())
    assert {STREAM, CANARY} == set(rows["part"].tolist())


def learnt(rows: Rows, held: Rows, kept: Kept, monkeypatch: Any, **more: Any) -> Any:
    """Verdicts on rows whose features need no history."""
    return said(rows, held, kept, monkeypatch, **more).verdicts


def said(rows: Rows, held: Rows, kept: Kept, monkeypatch: Any, **more: Any) -> Any:
    """What evidence says of rows whose other columns need no history."""
    monkeypatch.setattr(evidence, "kept_of", lambda *_, **__: kept)
    settings = SETTINGS.but({name.replace("__", "."): value for name, value in more.items()})
    return evidence_on(rows, held, None, 0, 400, settings)  # type: ignore[arg-type]  # unused


def test_wrong_labels_weigh_little_and_confirmed_ones_in_full(monkeypatch: Any) -> None:
    """Learnt evidence gives each judged row a p-value and a weight, little where it is wrong."""
    rows, held, known_to_us, kept = a_partition(600)
    found = learnt(rows, held, kept, monkeypatch)
    order = numbers_of(rows)
    wrong = (known_to_us["given"] != known_to_us["truth"])[order]
    stream, is_canary = rows["part"] == STREAM, rows["part"] == CANARY
    assert (len(rows),) == found.p_value.shape == found.weight.shape
    assert found.weight[stream & wrong].mean() < 0.2
    assert found.weight[stream & ~wrong].mean() > 0.8
    assert {1.0} == set(found.weight[is_canary].tolist())
    assert {1.0} == set(found.weighed.right[is_canary & wrong].tolist())


def test_the_margin_decides_where_nothing_can_be_learnt(monkeypatch: Any) -> None:
    """Without confirmed samples, with too few of them, or by setting, there is nothing learnt."""
    rows, held, _, kept = a_partition(400)
    assert learnt(rows, held, kept, monkeypatch) is not None
    assert learnt(rows, held, kept, monkeypatch, standing__evidence="margin") is None
    assert learnt(rows, held, kept, monkeypatch, standing__canary_minimum=300) is None
    assumed, apart_from_it, _, _ = a_partition(400, confirmed=False)
    assert learnt(assumed, apart_from_it, kept, monkeypatch) is None


def test_representations_decide_where_nobody_confirmed_a_label(monkeypatch: Any) -> None:
    """Doubt is then that of neighbours and class means; p-values and standings are the margin's."""
    rows, held, known_to_us, kept = a_partition(400, confirmed=False)
    order = np.concatenate([numbers_of(rows), numbers_of(held)])
    truth = known_to_us["truth"][order]
    read = np.random.default_rng(0).normal(size=(len(order), 8)) * 0.3 + truth[:, None]
    with_read = replace(kept, representation=read.astype(np.float16))
    keeps = {"responses__representations": True}
    found = said(rows, held, with_read, monkeypatch, **keeps)
    assert (None, "neighbours + class means") == (found.verdicts, found.unaided.decides)
    margin = judge(rows, SETTINGS.standing, trusted=False)
    judged = judge(rows, SETTINGS.standing, trusted=False, **found._asdict())
    assert ("recent margin", found.unaided.decides) == (margin.decides, judged.decides)
    assert np.array_equal(margin.p_value, judged.p_value, equal_nan=True)
    assert np.array_equal(margin.standing, judged.standing)
    wrong = (truth != known_to_us["given"][order])[: len(rows)]
    assert judged.evidence[wrong].mean() > margin.evidence[wrong].mean() + 0.1
    assert Said() == said(rows, held, kept, monkeypatch, **keeps)


def test_graded_pairs_teach_the_truth_alone(monkeypatch: Any) -> None:
    """They are compared with by no verdict, are never doubted, and change what parts learn."""
    rows, held, _, kept = a_partition(600)
    order = np.arange(len(rows) + len(held))
    pairs = (order % 3 == 0) & np.concatenate([rows["part"] == CANARY, held["part"] == CANARY])
    rows["given"][pairs[: len(rows)]] = -1
    with_pairs = replace(kept, graded=pairs)
    found = known_of(rows, held, with_pairs)
    assert pairs.sum() == len(found.graded) > 20
    assert not set(found.graded.rows) & {*found.trusted.rows, *found.measured}
    without = learnt(rows, held, kept, monkeypatch)
    having = learnt(rows, held, with_pairs, monkeypatch)
    assert (without.taught, without.compared) == (having.taught, having.compared)
    assert not np.array_equal(without.weighed.doubt, having.weighed.doubt)
    assert not set(having.sound) & set(found.graded.rows)
    assert {(1.0, 1.0, 1.0)} == {
        (having.p_value[row], having.weighed.right[row], having.weight[row])
        for row in found.graded.rows
    }


def of_three_classes() -> tuple[Rows, Kept, np.ndarray, np.ndarray]:
    """Rows of three classes, half of them canaries, with their logits, labels and truth.

    The second version says everything twice as firmly as the first. A tenth of the labels in the
    log is wrong.
    """
    random, number = np.random.default_rng(3), np.arange(300)
    truth, is_canary = number % 3, number // 3 % 2 == 0
    given = np.where(number % 10 == 0, (truth + 1) % 3, truth)
    label = np.where(is_canary, truth, given)
    logits = random.normal(size=(300, 3)) + 2 * np.eye(3)[truth]
    logits[150:] *= 2
    margin = logits[number, label] - np.where(np.eye(3)[label] > 0, -np.inf, logits).max(axis=1)
    rows, canaries = Rows(), {}
    for version, here in enumerate(np.split(number, 2), 1):
        facts = [
            fact(offset=at, label=int(label[at]), part=CANARY if is_canary[at] else STREAM)
            for at in here.tolist()
        ]
        some = {"facts": facts, "norm": np.ones(150), "loss": np.ones(150)}
        some["ids"] = [UUID(int=at + 1) for at in here.tolist()]
        some["given"] = np.where(is_canary[here], given[here], -1)
        rows.visit(visits(version=version, scale=1.0, margin=np.float32(margin[here]), **some))
        seen = here[is_canary[here]]
        keys = np.array([UUID(int=at + 1).bytes for at in seen.tolist()], "S16")
        canaries[version] = CanaryLogits(keys, logits[seen])
    return rows, Kept(logits=logits, canaries=canaries), given, truth


def test_logits_of_more_than_two_classes_are_on_one_scale() -> None:
    """Each class is placed among the canaries of its version; a corrected margin is taken anew."""
    rows, kept, given, truth = of_three_classes()
    found = known_of(rows, Rows(), kept, 3).known
    assert given.tolist() == found.label.tolist()
    first, second = np.split(np.abs(found.scores), 2)
    assert 0.8 < first.mean() / second.mean() < 1.25
    assert np.mean(found.scores.argmax(axis=1) == truth) > 0.7
    corrected = (rows["part"] == CANARY) & (given != truth)
    assert found.margin[corrected].mean() < -0.5 < found.margin[~corrected].mean()


def test_a_large_partition_is_judged_less_often_where_evidence_weighs_it() -> None:
    """The rows that are weighed for each new sample stay bounded; the margin costs little."""
    rows, held, _, _ = a_partition(400)
    often = SETTINGS.but({"standing.judge_every": 5})
    at = [end for end in range(5, 100, 5) if is_worth_it(rows, held, end, often)]
    assert [40, 80] == at
    assert 16 * 20 < len(rows) <= 16 * 40
    margin = often.but({"standing.evidence": "margin"})
    assert all(is_worth_it(rows, held, end, margin) for end in range(5, 100, 5))
    small = SETTINGS.but({"standing.judge_every": 50})
    assert all(is_worth_it(rows, held, end, small) for end in range(50, 400, 50))
