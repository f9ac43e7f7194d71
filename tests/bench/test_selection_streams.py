"""The streams of the bench of selection: what their labels are, what is true, and what learns."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from mainstem.bench.cost.cells import Cell, Ran, run_cell
from mainstem.bench.cost.chooser import wrong_of
from mainstem.bench.cost.material import Material, material_of
from mainstem.bench.cost.policies import Policy
from mainstem.bench.cost.streams import BenchStream, CostStream
from mainstem.bench.evidence.streams import TEXTS
from mainstem.bench.selection.choices import ByEstimator
from mainstem.bench.selection.clicks import click_chance, clicked
from mainstem.bench.selection.frozen_head import frozen_head, word_of
from mainstem.bench.selection.graded import GRADED, GradedStream
from mainstem.bench.selection.human import HumanStream
from mainstem.bench.selection.streams import Data, beyond, final, not_run
from mainstem.events import Click, Impression, decode
from mainstem.join import examples_of
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.settings import Settings
from tests.bench.tiny_shop import history, home
from tests.importers.importing import SHARED, real

SMALL = {
    "learning.round_every": 250,
    "learning.held_out": 40,
    "standing.judge_every": 100,
    "model.device": "cpu",
}
CLASSES = 4


def cell(stream: BenchStream, material: Material, policy: Policy) -> Ran:
    """Return one cell of a stream."""
    return run_cell(Cell(stream.name, policy, 3), material, {}, home)


@pytest.fixture(scope="module")
def human(tmp_path_factory: pytest.TempPathFactory) -> HumanStream:
    """800 texts whose features tell their class; a fifth of the labels is wrong."""
    folder, random = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    truth = random.integers(0, CLASSES, 800)
    wrong = random.random(800) < 0.2
    given = np.where(wrong, (truth + 1) % CLASSES, truth)
    table = {"text": [f"news {row}" for row in range(800)]}
    table |= {"noisy_label": given.tolist(), "clean_label": truth.tolist()}
    (folder / TEXTS).mkdir()
    parquet.write_table(pa.table(table), folder / TEXTS / "noisy_train.parquet")
    features = np.eye(128)[truth] + 0.1 * random.normal(size=(800, 128))
    np.save(folder / "features.npy", features.astype(np.float16))
    stream = HumanStream(data=folder, features=folder / "features.npy", model="made here")
    return replace(stream, settings=stream.settings | SMALL | {"learning.learning_rate": 5e-3})


@pytest.fixture(scope="module")
def texts(human: HumanStream) -> Material:
    """The texts, joined once."""
    return material_of(human, 3, Settings(), history)


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sixty queries of five titles each, in which relevant ones repeat the query."""
    folder, random = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for query in range(60):
        for item in range(5):
            grade = float(random.choice([1.0, 2.0, 3.0]))
            title = f"tool {query} made of steel" if grade == 3 else f"paint can {item}"
            row = {"id": len(rows), "product_uid": len(rows), "search_term": f"tool {query}"}
            rows.append(row | {"product_title": title, "relevance": grade})
    (folder / GRADED).mkdir()
    parquet.write_table(pa.Table.from_pylist(rows), folder / GRADED / "train.parquet")
    return folder


def test_texts_are_labelled_by_people_and_measured_on_the_truth(texts: Material) -> None:
    """A fifth of the labels before the last part is wrong but for those that were confirmed."""
    assert 0.12 < wrong_of(texts).mean() < 0.22
    assert {0, 1, 2, 3} == set(texts.truth.tolist())
    last = np.array([one.label for one in texts.test])
    assert 0.1 < (last != texts.truth).mean() < 0.3
    assert 800 == len(texts.placed) + len(texts.test)
    assert 0 == texts.feature_seconds


def test_a_head_over_frozen_features_goes_through_the_same_rounds(
    human: HumanStream, texts: Material
) -> None:
    """It learns the classes, and estimators score it; answers are kept for each class."""
    choice = ByEstimator("aum")
    policy = Policy(family="by aum", draw=0.5, scored=True, choice=choice)
    ran = cell(human, texts, policy)
    assert (len(texts.test), CLASSES) == ran.scores.shape
    assert 2 == ran.facts["rounds"]
    assert ran.facts["auc_true"] > 0.9
    assert ran.facts["auroc"] > 0.6
    assert ran.facts["worst_slice"] is None
    assert 0 < ran.facts["cost"]["score"]
    assert 0 == ran.facts["cost"]["features"]


def test_only_the_head_of_a_frozen_model_learns(texts: Material) -> None:
    """Training changes answers, and leaves every feature as it was."""
    features = np.random.default_rng(0).normal(size=(len(texts.placed), 16))
    settings = texts.settings.but({"learning.epochs": 1})
    before = frozen_head(features, settings)
    some = texts.placed[:128]
    after = fine_tune(before, some, [], settings, 1).encoder
    names = [name for name, one in after.network.named_parameters() if one.requires_grad]
    assert ["head.0.weight", "head.0.bias", "head.3.weight", "head.3.bias"] == names
    for name, one in before.network.bert.state_dict().items():
        assert torch.equal(one, after.network.bert.state_dict()[name])
    first, second = (
        ActiveVersion(one, settings).logits(examples_of(some)) for one in (before, after)
    )
    assert np.abs(first - second).max() > 1e-3


def test_a_text_reads_as_its_features_of_length_four() -> None:
    """Mean 0 and length 4 whatever they were; the second text of a pair is empty."""
    features = np.random.default_rng(0).normal(3.0, 5.0, size=(5, 16))
    settings = Settings().but({"objectives.classes": "a,b,c"})
    encoder = frozen_head(features, settings)
    read: list[torch.Tensor] = []
    with encoder.representing(read):
        ActiveVersion(encoder, settings).logits([(word_of(3), "")])
    told = read[0][0].float().numpy()[:16]
    meant = (features[3] - features[3].mean()) / features[3].std() / 4 * 4
    assert meant == pytest.approx(told, abs=0.01)
    assert 4 == pytest.approx(float(np.linalg.norm(told)), abs=0.01)


def test_clicks_come_as_often_as_their_chances_say() -> None:
    """A perfect match at the top is always clicked; others by grade and by place."""
    relevance = np.array([1.0, 0.5, 0.0, 1.0])
    chance = click_chance(relevance)
    # at place 2 half of the grade is y = 2: .1 + .9 * 3 / 15 = .28, looked at by 1 / sqrt 2
    assert [1.0, 0.28 / 2**0.5, 0.1 / 3**0.5, 0.5] == pytest.approx(chance.tolist())
    random = np.random.default_rng(0)
    found = np.mean([clicked(relevance, random) for _ in range(20_000)], axis=0)
    assert chance.tolist() == pytest.approx(found.tolist(), abs=0.015)


def test_labels_of_pages_are_clicks_and_their_truth_is_the_grade(grades: Path) -> None:
    """Relevant titles without a click are wrong; a version learns what is relevant from clicks."""
    stream = GradedStream(data=grades, pages=180, settings=SMALL)
    log = stream.log(3)
    events = [decode(line) for line in log.lines]
    assert 180 == sum(isinstance(one, Impression) for one in events)
    material = material_of(stream, 3, Settings(), history)
    assert sum(isinstance(one, Click) for one in events) > sum(
        one.label for one in material.samples
    )
    assert 0.1 < wrong_of(material).mean() < 0.5
    relevant = [one.item_text.startswith("tool") for one in material.test]
    assert relevant == (material.truth == 1).tolist()
    ran = cell(stream, material, Policy(family="everything", epochs=2))
    assert ran.facts["auc_true"] > 0.6


def test_another_seed_shows_other_pages(grades: Path) -> None:
    """The same seed gives the same log, byte for byte."""
    stream = GradedStream(data=grades, pages=20)
    assert stream.log(1).lines == stream.log(1).lines
    assert stream.log(1).lines != stream.log(2).lines


def test_the_real_grades_make_pages_whose_clicks_are_often_wrong() -> None:
    """Most titles are relevant by half, and a third of the relevant ones gets no click."""
    real(f"{GRADED}/train.parquet")
    log = GradedStream(data=SHARED, pages=300).log(0)
    assert 0.3 < np.mean(list(log.truth.values())) < 0.7
    assert 300 < len(log.truth) < 3000


def test_the_real_texts_have_a_fifth_of_wrong_labels(tmp_path: Path) -> None:
    """As their makers say: .1975 of 10,000."""
    real(f"{TEXTS}/noisy_train.parquet")
    features = np.zeros((10_000, 4), np.float16)
    np.save(tmp_path / "features.npy", features)
    stream = HumanStream(data=SHARED, features=tmp_path / "features.npy", model="none")
    log = stream.log(0)
    assert 10_000 == len(log.lines) == len(log.truth)
    classes = stream.settings["objectives.classes"].split(",")
    given = [classes.index(decode(line).label) for line in log.lines]  # type: ignore[union-attr]
    rows = [int(decode(line).event_id) for line in log.lines]  # type: ignore[union-attr]
    truth = list(log.truth.values())
    wrong = [label != truth[row] for label, row in zip(given, rows, strict=True)]
    assert 0.1975 == np.mean(wrong)


def test_streams_without_data_are_told_and_the_others_run(human: HumanStream, grades: Path) -> None:
    """Texts also need the features of a frozen model."""
    nothing, graded = Data(), Data(grades)
    whole = Data(human.data, "made here", human.features)
    assert [2, 3] == [len(final(one)) for one in (nothing, whole)]
    assert [3, 4] == [len(beyond(one)) for one in (nothing, graded)]
    assert [2, 1, 1] == [len(not_run(one)) for one in (nothing, graded, whole)]
    assert "--model" in not_run(Data(human.data))[human.name]


def test_only_the_excerpt_as_it_is_counts_as_sound(human: HumanStream, grades: Path) -> None:
    """In all other streams labels are known to be wrong; names tell streams apart."""
    whole = Data(human.data, "made here", human.features)
    streams = [*final(whole), *beyond(Data(grades))]
    assert ["excerpt as it is"] == [one.name for one in streams if not one.is_noisy]
    assert 7 == len({one.name for one in streams})


def test_every_stream_can_be_given_to_another_process(human: HumanStream, grades: Path) -> None:
    """Groups of cells run in processes of their own."""
    whole = Data(human.data, "made here", human.features)
    for one in (*final(whole), *beyond(Data(grades))):
        assert one == pickle.loads(pickle.dumps(one))


@pytest.mark.parametrize("name", ["shop with habits", "two thirds of the yes wrong"])
def test_shops_have_wrong_labels_by_habit_or_on_one_side(name: str) -> None:
    """Shoppers do not look at all they want; the other shop turns no into yes."""
    stream = next(one for one in beyond(Data()) if one.name == name)
    assert isinstance(stream, CostStream)
    small = replace(stream, events=1500)
    material = material_of(small, 0, Settings(), history)
    label = np.array([one.given for one in material.placed])
    truth = np.array([material.meant.get(one.sample_id, -1) for one in material.placed])
    yes, no = ((label == one) & (truth >= 0) for one in (1, 0))
    wrong_yes, wrong_no = (label[yes] != truth[yes]).mean(), (label[no] != truth[no]).mean()
    if name == "shop with habits":
        assert 0.05 < wrong_no  # what was not looked at
    else:
        assert 0.5 < wrong_yes < 0.8
        assert wrong_no < 0.02
