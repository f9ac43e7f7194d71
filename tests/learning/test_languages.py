"""A model that is made here learns from Chinese texts, and from Chinese beside English."""

from random import Random

import pytest

from mainstem.join import PlacedSample
from mainstem.learning.evaluation import evaluate
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.settings import Settings
from mainstem.simulate.words import WORDS
from tests.learning.samples import stored

SETTINGS = Settings.of(
    {
        "model.behaviour": False,
        "model.device": "cpu",
        "model.max_tokens": 24,
        "model.vocabulary": 600,
        "learning.epochs": 5,
        "learning.train_batch": 16,
    }
)


def titles(languages: tuple[str, ...], count: int, *, seed: int) -> list[PlacedSample]:
    """Make samples whose label is yes where the item has the first colour of its language."""
    random, found = Random(seed), []
    for number in range(count):
        words = WORDS[languages[number % len(languages)]]
        liked = random.random() < 0.5
        _, (noun, *_) = random.choice(words.categories)
        title = words.title.format(
            brand=random.choice(words.brands),
            colour=words.colours[0] if liked else random.choice(words.colours[1:]),
            material=random.choice(words.materials),
            noun=noun,
            number=number,
        )
        found.append(stored(number, label=int(liked), context_text=noun, item_text=title))
    return found


@pytest.mark.parametrize("languages", [("zh",), ("zh", "en")])
def test_a_model_made_for_the_log_learns_in_its_languages(languages: tuple[str, ...]) -> None:
    """With a vocabulary of the log's own texts, unseen titles of each language are told apart."""
    samples = titles(languages, 400, seed=1)
    texts = [text for one in samples for text in (one.context_text, one.item_text)]
    first = first_encoder(texts, SETTINGS)
    child = fine_tune(first, samples, titles(languages, 100, seed=2), SETTINGS, seed=1).encoder
    for language in languages:
        unseen = titles((language,), 100, seed=3)
        assert evaluate(ActiveVersion(child, SETTINGS), unseen).auc > 0.95
