"""What evidence knows of a partition: given labels, numbers on one scale, and who teaches."""

from typing import Any
from uuid import UUID

import numpy as np

from mainstem.importance import CANARY, STREAM, Rows
from mainstem.join import PARTS
from mainstem.scoring import known
from mainstem.scoring.held import apart
from mainstem.scoring.known import known_of, learnt_verdicts
from mainstem.settings import Settings
from tests.importance.visiting import fact, visits

DIRECTION, GATE = PARTS.index("direction"), PARTS.index("gate")
SETTINGS = Settings.of({"standing.canary_minimum": 40, "standing.divisions": 1})


def a_partition(
    samples: int, *, confirmed: bool = True
) -> tuple[Rows, Rows, dict[str, np.ndarray], dict[bytes, np.ndarray]]:
    """Rows of a partition in which two thirds of the yes of the log are wrong.

    Returns:
        The rows that are judged, those that are held out, the truth and the log's labels by sample
        number, and the overlaps of words, which tell the truth.
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
    overlaps = random.normal(size=(samples, 8)) * 0.3 + 3 * truth[:, None]
    by_id = dict(zip((one.bytes for one in ids), overlaps.astype(np.float32), strict=True))
    return rows, held, {"truth": truth, "given": given}, by_id


def numbers_of(rows: Rows) -> np.ndarray:
    """The numbers of the samples in rows."""
    return np.array([rows.id_of(row).int - 1 for row in range(len(rows))])


def test_a_confirmed_sample_is_known_by_the_label_of_the_log() -> None:
    """The labels are the log's, and scores do not depend on which label a visit was made with."""
    rows, held, known_to_us, overlaps = a_partition(400)
    found = known_of(rows, held, overlaps)
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
    rows, held, _, overlaps = a_partition(400)
    found = known_of(rows, held, overlaps)
    part = np.concatenate([rows["part"], held["part"]])
    assert {CANARY, DIRECTION} == set(part[found.trusted.rows].tolist())
    assert {GATE} == set(part[found.measured].tolist())
    assert {STREAM, CANARY} == set(rows["part"].tolist())


def learnt(
    rows: Rows, held: Rows, overlaps: dict[bytes, Any], monkeypatch: Any, **more: Any
) -> Any:
    """Verdicts on rows whose overlaps need no history."""
    monkeypatch.setattr(known, "overlaps_of", lambda *_: overlaps)
    settings = SETTINGS.but({f"standing.{name}": value for name, value in more.items()})
    return learnt_verdicts(rows, held, None, 0, 400, settings)  # type: ignore[arg-type]  # unused


def test_wrong_labels_weigh_little_and_confirmed_ones_in_full(monkeypatch: Any) -> None:
    """Learnt evidence gives each judged row a p-value and a weight, little where it is wrong."""
    rows, held, known_to_us, overlaps = a_partition(600)
    found = learnt(rows, held, overlaps, monkeypatch)
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
    rows, held, _, overlaps = a_partition(400)
    assert learnt(rows, held, overlaps, monkeypatch) is not None
    assert learnt(rows, held, overlaps, monkeypatch, evidence="margin") is None
    assert learnt(rows, held, overlaps, monkeypatch, canary_minimum=300) is None
    assumed, apart_from_it, _, _ = a_partition(400, confirmed=False)
    assert learnt(assumed, apart_from_it, overlaps, monkeypatch) is None
