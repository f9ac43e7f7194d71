"""What an import has to tell beside its events: what a file was read as, rows that were left out, what looks wrong."""

from collections import Counter

from mainstem.errors import ImportSourceError

__all__ = ["Notes", "SilentNotes", "excerpt"]

_NAMED = 3  # rows of one reason that are told one by one


def excerpt(text: str, longest: int = 60) -> str:
    """The beginning of a text that may be too long for a message.

    Example:
        >>> excerpt("red cup"), excerpt("red cup with a handle", 10)
        ('red cup', 'red cup...')
    """
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


class Notes:
    r"""Collects what is told when an import ends.

    Attributes:
        left_out: counts, by reason, the rows that became no event; importers count there too.
        told: sentences, in the order in which they came up.
        rows: for a reason of a row that could not be read, the first of these rows.
        cells: counts, by column and what is the matter, cells that were not taken as they stand.

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
        """Count a row of the file that cannot be read, and name it if it is one of the first."""
        self.left_out[reason] += 1
        named = self.rows.setdefault(reason, [])
        if len(named) < _NAMED:
            named.append(f"{place}: {what}")

    @property
    def sentences(self) -> list[str]:
        """All sentences that are told; what was left out is told apart."""
        return [
            *self.told,
            *(f"{count:,} cells of {name!r} {what}" for (name, what), count in self.cells.items()),
        ]

    def tell(self, sentence: str) -> None:
        """Have a sentence told, once."""
        if sentence not in self.told:
            self.told.append(sentence)


class SilentNotes(Notes):
    """For a caller to whom nothing can be told: a row that cannot be read is an error."""

    def leave_out(self, place: str, reason: str, what: str) -> None:
        """Refuse the file.

        Raises:
            ImportSourceError: always.
        """
        msg = f"{place} is {reason}: {what}; mend or remove it"
        raise ImportSourceError(msg)
