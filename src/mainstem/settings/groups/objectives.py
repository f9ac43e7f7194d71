"""What the model learns from a sample."""

import math
from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, Means

__all__ = ["Objectives"]

_MOST_CLASSES: Final = 127
_KNOWN: Final = ("answer", "click", "cart", "purchase", "relevance")


class Objectives(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model learns from a sample."""

    names: Annotated[
        str,
        Means(
            "Names what the model learns of a sample, the objective that gives the label first:"
            " `answer` is yes for any outcome but a return, or the class of a labelled text;"
            " `click`, `cart` and `purchase` are yes for that outcome; `relevance` is the grade of"
            " a labelled text.",
            affects="join",
            form="names from answer, click, cart, purchase, relevance with commas between",
        ),
    ] = "answer"
    classes: Annotated[
        str,
        Means(
            "Names the classes of labelled texts, in the order of their numbers; if empty, they"
            " are `no,yes`.",
            affects="join",
            form="2 to 127 names with commas between",
        ),
    ] = ""
    alphas: Annotated[
        str,
        Means(
            "A larger alpha makes the loss of its objective count for more in training and in"
            " responses; if empty, each is 1.",
            form="a number above 0 for each name, with commas between",
        ),
    ] = ""
    rank_by: Annotated[
        str,
        Means(
            "Names the objective by which a version ranks, and on which it is evaluated; if"
            " empty, it is the first.",
            form="one of the names in objectives.names",
        ),
    ] = ""
    listwise: Annotated[
        float,
        Means(
            "A larger factor makes the order of the items of one question count for more in"
            " training; 0 leaves it out. Responses never contain it.",
            low=0,
        ),
    ] = 0.0
    listwise_loss: Annotated[
        str,
        Means(
            "Chooses the loss of an order: `lambda` compares pairs and discounts them by their"
            " positions, `softmax` compares the items of a question at once.",
            choices=("lambda", "softmax"),
        ),
    ] = "lambda"
    by_importance: Annotated[
        float,
        Means(
            "A larger factor makes important samples count for more in training: each loss is"
            " multiplied by 1 + factor * importance / mean importance.",
            low=0,
        ),
    ] = 0.0
    imbalance: Annotated[
        str,
        Means(
            "Chooses what training does about rare labels: `keep` leaves them rare, `weights` lets"
            " every label weigh the same in total, `resample` draws every label equally often.",
            choices=("keep", "weights", "resample"),
        ),
    ] = "keep"
    propensity_cap: Annotated[
        float,
        Means(
            "A higher cap lets an item that was shown with a lower propensity count for more in"
            " training, by 1 / propensity up to the cap; 0 ignores propensities.",
            affects="join",
            low=0,
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.class_names
        if not 2 <= len(set(names)) == len(names) <= _MOST_CLASSES or "" in names:
            msg = (
                f"objectives.classes are 2 to {_MOST_CLASSES} different names with commas between, "
                f"like 'no,yes'; got {self.classes!r}"
            )
            raise SettingError(msg)
        asked = self.objective_names
        if len(set(asked)) < len(asked) or not set(asked) <= set(_KNOWN):
            msg = (
                f"objectives.names are different names from {', '.join(_KNOWN)} with commas "
                f"between, like 'click,purchase'; got {self.names!r}"
            )
            raise SettingError(msg)
        if self.ranking not in asked:
            msg = f"objectives.rank_by is one of {', '.join(asked)}; got {self.rank_by!r}"
            raise SettingError(msg)
        alphas = self.alpha_values
        if len(alphas) != len(asked) or not all(0 < one < math.inf for one in alphas):
            msg = (
                f"objectives.alphas are {len(asked)} numbers above 0 with commas between, "
                f"one for each of {', '.join(asked)}; got {self.alphas!r}"
            )
            raise SettingError(msg)
        if self.listwise and self.ranking == "answer" and len(names) > 2:
            msg = (
                "objectives.listwise needs an objective with an order to rank by; "
                f"the answer is one of {len(names)} classes: set objectives.rank_by, or listwise=0"
            )
            raise SettingError(msg)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; the place of a name is the number of its class.

        Example:
            >>> Objectives(classes="sports, business").class_names
            ('sports', 'business')
        """
        return _split(self.classes or "no,yes")

    @property
    def objective_names(self) -> tuple[str, ...]:
        """Names of the objectives, in order.

        Example:
            >>> Objectives(names="click, purchase").objective_names
            ('click', 'purchase')
        """
        return _split(self.names)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels that samples have; the place of a name is the number of its label.

        A label is a class where `answer` gives it, and else no or yes: a grade of at least one half
        is a yes.

        Example:
            >>> Objectives(names="relevance,answer", classes="bad,fair,good").label_names
            ('no', 'yes')
        """
        names = self.objective_names
        graded = [name for name in names if name in {"answer", "relevance"}]
        return self.class_names if graded[:1] == ["answer"] else ("no", "yes")

    @property
    def ranked_names(self) -> tuple[str, ...]:
        """Names of the labels under the objective that ranks: classes, or no and yes."""
        return self.class_names if self.ranking == "answer" else ("no", "yes")

    @property
    def alpha_values(self) -> tuple[float, ...]:
        """The alpha of each objective; empty where the setting holds something else than numbers.

        Example:
            >>> Objectives(names="click,purchase", alphas="1,0.25").alpha_values
            (1.0, 0.25)
        """
        if not self.alphas:
            return (1.0,) * len(self.objective_names)
        try:
            return tuple([float(one) for one in _split(self.alphas)])
        except ValueError:
            return ()

    @property
    def ranking(self) -> str:
        """Name of the objective that ranks."""
        return self.rank_by.strip() or self.objective_names[0]

    @property
    def answers_yes_or_no(self) -> bool:
        """Whether the objective that ranks is answered with no (0) or yes (1)."""
        return len(self.ranked_names) == 2


def _split(text: str) -> tuple[str, ...]:
    return tuple([one.strip() for one in text.split(",")])
