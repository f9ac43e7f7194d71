"""How many labels of a log must be turned so that given shares of its yes and its no are wrong."""

from typing import NamedTuple

__all__ = ["Counts", "UnreachableError", "to_turn"]


class Counts(NamedTuple):
    """How many labels of a log are right and wrong.

    Attributes:
        right_yes, wrong_yes: number of items whose label is yes, and that are wanted, or not.
        right_no, wrong_no: number of items whose label is no, and that are unwanted, or wanted.
    """

    right_yes: int = 0
    wrong_yes: int = 0
    right_no: int = 0
    wrong_no: int = 0


class UnreachableError(ValueError):
    """No turning of labels makes so many of them wrong.

    Attributes:
        name: the share that cannot be reached, `wrong_yes` or `wrong_no`.
        largest: the largest share that can be reached.
    """

    def __init__(self, name: str, largest: float) -> None:
        super().__init__(f"the largest possible {name} is {largest:.3f}")
        self.name, self.largest = name, largest


def to_turn(counts: Counts, *, wrong_yes: float, wrong_no: float) -> tuple[int, int]:
    """Return how many right no become yes, and how many right yes become no.

    Labels that are wrong before count. If their share is above the given one already, it stays
    above.

    Args:
        counts: labels of the log before any is turned.
        wrong_yes, wrong_no: share of the yes, and of the no, that is to be wrong, in [0, 1]; 0
            turns nothing. Their sum is below 1 if both are above 0.

    Raises:
        UnreachableError: if one of the shares is too large.

    Example:
        >>> to_turn(Counts(right_yes=10, right_no=90), wrong_yes=0.5, wrong_no=0)
        (10, 0)
        >>> to_turn(Counts(right_yes=140, right_no=60), wrong_yes=0.25, wrong_no=0.25)
        (45, 5)
        >>> to_turn(Counts(right_yes=60, right_no=40), wrong_yes=0.9, wrong_no=0)
        Traceback (most recent call last):
        mainstem.simulate.shares.UnreachableError: the largest possible wrong_yes is 0.400
    """
    mirrored = Counts(counts.right_no, counts.wrong_no, counts.right_yes, counts.wrong_yes)
    for name, one, share in (("wrong_yes", counts, wrong_yes), ("wrong_no", mirrored, wrong_no)):
        largest = _largest(one)
        if share > largest:
            raise UnreachableError(name, largest)
    if wrong_yes and wrong_no:
        # of L yes, wrong_yes L are unwanted; of the other no, wrong_no (total - L) are wanted
        total = sum(counts)
        wanted = counts.right_yes + counts.wrong_no
        yes = (wanted - wrong_no * total) / (1 - wrong_yes - wrong_no)
        to_yes = wrong_yes * yes - counts.wrong_yes
        to_no = wrong_no * (total - yes) - counts.wrong_no
        if to_yes >= 0 and to_no >= 0:
            return round(to_yes), round(to_no)
    # one of them is reached without turning
    to_yes, to_no = _alone(counts, wrong_yes), _alone(mirrored, wrong_no)
    left = mirrored.right_yes - to_yes
    if wrong_no and to_yes and counts.wrong_no >= wrong_no * (counts.wrong_no + left):
        return to_yes, 0
    return (0, to_no) if wrong_no else (to_yes, 0)


def _largest(counts: Counts) -> float:
    """The share of the yes that is wrong once every right no has become yes."""
    labels = counts.right_yes + counts.wrong_yes + counts.right_no
    return (counts.wrong_yes + counts.right_no) / labels if labels else 0.0


def _alone(counts: Counts, share: float) -> int:
    """How many right no become yes, if no yes becomes no."""
    if share == 1:
        return counts.right_no
    # (wrong_yes + turned) / (right_yes + wrong_yes + turned) is the share
    turned = share / (1 - share) * counts.right_yes - counts.wrong_yes
    return min(max(round(turned), 0), counts.right_no)
