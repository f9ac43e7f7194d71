"""Grades in a shop's own table: how relevant an item is to a query, as a person judged it."""

from typing import Any

from msgspec import Struct

from mainstem.importers.values import number_of

__all__ = ["GradeColumn"]

_YES_FROM = 0.5  # as for the label of a grade in `objectives`


class GradeColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a row's grade is and how grades are written.

    Attributes:
        column: name of the column.
        lowest, highest: the grades of an irrelevant item and of a perfect match, which become 0
            and 1.
    """

    column: str
    lowest: float = 0.0
    highest: float = 1.0

    def of(self, value: Any, decimal: str = "") -> float | None:
        """The relevance that a cell holds, in [0, 1]; None if the cell is empty.

        Args:
            value: the cell.
            decimal: character before the fraction, as for `number_of`.

        Raises:
            ValueError: if the cell is no number, or is not from `lowest` to `highest`.

        Example:
            >>> grades = GradeColumn("relevance", lowest=1, highest=3)
            >>> grades.of("2.5"), grades.of(""), grades.label_of(0.75)
            (0.75, None, 'yes')
        """
        grade = number_of(value, "grade", decimal)
        if grade is None:
            return None
        if not self.lowest <= grade <= self.highest:
            msg = (
                f"grade {grade:g} is not from {self.lowest:g} to {self.highest:g}; "
                "set grade.lowest and grade.highest in the map"
            )
            raise ValueError(msg)
        return (grade - self.lowest) / (self.highest - self.lowest)

    @staticmethod
    def label_of(grade: float) -> str:
        """The label of a pair with this relevance, `yes` from one half on."""
        return "yes" if grade >= _YES_FROM else "no"
