"""Parts of a shop's items, by category or by source, each with a share of its own."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from mainstem.errors import SettingError

__all__ = ["SOURCES", "Part", "check_categories", "check_sums", "number_of_part", "parts_of"]

SOURCES: Final = ("impression", "view")
"""The sources of samples that a simulated shop has."""
_BY: Final = ("category", "source")


class Part(Struct, frozen=True):
    """The items of a category, or of the questions of a source, and their share of wrong labels.

    Attributes:
        by: `category` or `source`; empty for all items that no other part holds.
        value: name of the category, or `impression` or `view`; empty for all other items.
        share: share of the labels that is to be wrong, in [0, 1].
    """

    by: str
    value: str
    share: float


def parts_of(name: str, share: float, text: str) -> tuple[Part, ...]:
    """Read parts from a setting; the last one holds all other items.

    Args:
        name: name of the setting, for messages.
        share: share of all other items.
        text: parts with commas between them; empty for none.

    Raises:
        SettingError: if a part cannot be read, or is named twice.

    Example:
        >>> [one.share for one in parts_of("wrong_yes_of", 0.1, "category=mugs:0.5, source=view:0")]
        [0.5, 0.0, 0.1]
    """
    parts = tuple(_part_of(name, one.strip()) for one in text.split(",") if one.strip())
    named = [(part.by, part.value) for part in parts]
    if twice := next((one for one in named if named.count(one) > 1), None):
        msg = f"{name} names {'='.join(twice)} twice; give it one share"
        raise SettingError(msg)
    return (*parts, Part("", "", share))


def number_of_part(parts: Sequence[Part], category: str, source: str) -> int:
    """Return the number of the first part that holds an item of a category and source."""
    for number, part in enumerate(parts[:-1]):
        if part.value == (category if part.by == "category" else source):
            return number
    return len(parts) - 1


def check_sums(wrong_yes: Sequence[Part], wrong_no: Sequence[Part]) -> None:
    """Refuse shares of wrong yes and of wrong no that add up to 1 or more for any item.

    Of such labels, a yes is no likelier to be wanted than a no.
    """
    for yes in wrong_yes:
        for no in wrong_no:
            if yes.share and no.share and yes.share + no.share >= 1 and _meet(yes, no, wrong_yes):
                msg = (
                    f"wrong_no cannot be {no.share:g} where wrong_yes is {yes.share:g}; the "
                    f"largest possible is below {1 - yes.share:.3f}; lower one of them"
                )
                raise SettingError(msg)


def _meet(yes: Part, no: Part, wrong_yes: Sequence[Part]) -> bool:
    """Whether an item can belong to both parts."""
    if yes.by and yes.by == no.by:
        return yes.value == no.value
    is_named = any((part.by, part.value) == (no.by, no.value) for part in wrong_yes)
    return bool(yes.by) or not no.by or not is_named


def check_categories(parts: Iterable[Part], known: Iterable[str]) -> None:
    """Refuse parts of categories that the catalogue lacks."""
    names = list(known)
    for part in parts:
        if part.by == "category" and part.value not in names:
            msg = f"no item has category {part.value!r}; the catalogue has {', '.join(names)}"
            raise SettingError(msg)


def _part_of(name: str, text: str) -> Part:
    which, _, share = text.rpartition(":")
    by, _, value = which.partition("=")
    try:
        part = Part(by, value, float(share))
    except ValueError:
        part = None
    if not part or by not in _BY or not value or (by == "source" and value not in SOURCES):
        msg = (
            f"{name} names parts like category=shoes:0.5 or source=view:0.2, where a source is "
            f"{' or '.join(SOURCES)}; got {text!r}"
        )
        raise SettingError(msg)
    if not 0 <= part.share <= 1:
        msg = f"a share of {name} must be from 0 to 1; got {text!r}"
        raise SettingError(msg)
    return part
