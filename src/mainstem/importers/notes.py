"""What an import reports besides its events: how it read a file, and which rows it left out."""

from collections import Counter

from mainstem.errors import ImportSourceError

__all__ = ["Notes", "SilentNotes", "excerpt"]

_NAMED = 3  # rows that are named for each reason; further rows are only counted


def excerpt(text: str, longest: int = 60) -> str:
    """Shorten a text that may be too long for a message.

    Example:
        >>> excerpt("red cup"), excerpt("red cup with a handle", 10)
        ('red cup', 'red cup...')
    """
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


class Notes:
    r"""Collects the remarks that are printed when an import ends.

    Attributes:
        left_out: counts, by reason, the rows that became no event; readers and importers share it.
        told: sentences about the file, in the order in which they arose.
        rows: the first unreadable rows for each reason.
        cells: counts, by column and remark, the cells that were changed or look wrong.

    Example:
        >>> notes = Notes()
        >>> notes.leave_out("row 2 of 'x.csv' (line 3)", "not UTF-8", "b'Schl\xfcssel'")
        >>> notes.left_out, notes.rows
        (Counter({'not UTF-8': 1}), {'not UTF-8': ["row 2 of 'x.csv' (line 3): b'Schlüssel'"]})
    """

    def __init__(self, left_out: Counter[str] | None = None) -> None:
        self.left_out: Counter[str] = Counter() if left_out is None else left_out
        self.told: list[str] = []
        self.rows: dict[str, list[str]] = {}
        self.cells: Counter[tuple[str, str]] = Counter()

    def leave_out(self, place: str, reason: str, what: str) -> None:
        """Count an unreadable row of the file, and name it if it is one of the first.

        Args:
            place: where the row is, as a phrase for messages.
            reason: why the row cannot be read.
            what: the content at fault, shown after the place.
        """
        self.left_out[reason] += 1
        named = self.rows.setdefault(reason, [])
        if len(named) < _NAMED:
            named.append(f"{place}: {what}")

    @property
    def sentences(self) -> list[str]:
        """The sentences about the file, then those about cells; not the rows that were left out."""
        return [
            *self.told,
            *(f"{count:,} cells of {name!r} {what}" for (name, what), count in self.cells.items()),
        ]

    def tell(self, sentence: str) -> None:
        """Add a sentence, unless it has been added before."""
        if sentence not in self.told:
            self.told.append(sentence)


class SilentNotes(Notes):
    """Notes of a caller that prints no remarks: an unreadable row raises an error."""

    def leave_out(self, place: str, reason: str, what: str) -> None:
        """Refuse the file because of an unreadable row.

        Raises:
            ImportSourceError: always.
        """
        msg = f"{place} is {reason}: {what}; mend or remove it"
        raise ImportSourceError(msg)
