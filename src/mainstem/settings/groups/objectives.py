"""What is learnt of a sample."""

from typing import Annotated, Final

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, Means

__all__ = ["Objectives"]

_MOST_CLASSES: Final = 127


class Objectives(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learnt of a sample."""

    classes: Annotated[
        str,
        Means(
            "It names the classes of labelled texts, and their order numbers them; empty, they are `no,yes`.",
            affects="join",
            form="2 to 127 names with commas between",
        ),
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.class_names
        if not 2 <= len(set(names)) == len(names) <= _MOST_CLASSES or "" in names:
            msg = (
                f"objectives.classes are 2 to {_MOST_CLASSES} different names with commas between, like 'no,yes'; "
                f"got {self.classes!r}"
            )
            raise SettingError(msg)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of their numbers.

        Example:
            >>> Objectives(classes="sports, business").class_names
            ('sports', 'business')
        """
        return tuple(name.strip() for name in (self.classes or "no,yes").split(","))

    @property
    def answers_yes_or_no(self) -> bool:
        """Whether a label is no or yes."""
        return len(self.class_names) == 2
