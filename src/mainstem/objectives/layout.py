"""Which logits of a model belong to which objective.

A single objective `answer` has one logit for each class, two of them for no and yes, as models of
earlier releases have. Any other objective has one logit, and so has `answer` beside others where
it is no or yes.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mainstem.settings import Objectives

__all__ = ["Layout", "Part"]


class Part(NamedTuple):
    """The logits of one objective.

    Attributes:
        name: name of the objective.
        alpha: factor of its loss.
        first: column of its first logit.
        width: number of its logits: 1, or the number of classes.
    """

    name: str
    alpha: float
    first: int
    width: int


@dataclass(frozen=True)
class Layout:
    """The logits of a model, in order.

    Attributes:
        parts: the logits of each objective.
        ranking: place in `parts` of the objective that ranks.

    Example:
        >>> layout = Layout.of(Objectives(names="click,answer", classes="a,b,c", alphas="1,2"))
        >>> layout.parts[1], layout.width, layout.is_plain
        (Part(name='answer', alpha=2.0, first=1, width=3), 4, False)
    """

    parts: tuple[Part, ...]
    ranking: int = 0

    @classmethod
    def of(cls, objectives: Objectives) -> Self:
        """The layout that the settings ask for."""
        names, classes = objectives.objective_names, len(objectives.class_names)
        is_single = len(names) == 1
        parts, first = [], 0
        for name, alpha in zip(names, objectives.alpha_values, strict=True):
            has_classes = name == "answer" and (is_single or classes > 2)
            width = classes if has_classes else 1
            parts.append(Part(name, alpha, first, width))
            first += width
        return cls(tuple(parts), names.index(objectives.ranking))

    @property
    def width(self) -> int:
        """The number of logits."""
        return sum(part.width for part in self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each logit: that of its objective, with the number of the class if it has one.

        Example:
            >>> Layout.of(Objectives(names="click,answer", classes="a,b,c")).names
            ('click', 'answer 0', 'answer 1', 'answer 2')
        """
        return tuple(
            part.name if part.width == 1 else f"{part.name} {number}"
            for part in self.parts
            for number in range(part.width)
        )

    @property
    def examined(self) -> tuple[int, ...]:
        """Columns of the logits of a yes that is likelier where shoppers look.

        None of several classes is more of a yes than the others, and graders look at every pair.
        """
        return tuple(
            part.first + part.width - 1
            for part in self.parts
            if part.width <= 2 and part.name != "relevance"
        )

    @property
    def is_plain(self) -> bool:
        """Whether the only objective is `answer` with alpha 1: its loss is the cross-entropy."""
        return self.is_single_answer and self.parts[0].alpha == 1

    @property
    def is_single_answer(self) -> bool:
        """Whether the only objective is `answer`, which has a logit for each class."""
        return len(self.parts) == 1 and self.parts[0].name == "answer"

    def ranked(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """The logits of the objective that ranks, as logits of its classes.

        A single logit is the log-odds of yes, so it becomes the two logits (0, logit).

        Args:
            logits: logits of N samples, shape (N, W), where W is `width`.

        Returns:
            Logits, shape (N, C), where C is 2 or the number of classes.

        Example:
            >>> layout = Layout.of(Objectives(names="click,purchase", rank_by="purchase"))
            >>> layout.ranked(np.array([[5.0, -2.0]])).tolist()
            [[0.0, -2.0]]
        """
        if self.is_single_answer:
            return logits
        part = self.parts[self.ranking]
        found = logits[:, part.first : part.first + part.width]
        return np.pad(found, ((0, 0), (1, 0))) if part.width == 1 else found
