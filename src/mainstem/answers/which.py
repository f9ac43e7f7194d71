"""Finds the sample that somebody means by the first digits of its id."""

import re
from typing import Final
from uuid import UUID

from mainstem.answers.explain import Ask, ids_beginning
from mainstem.errors import StoreError
from mainstem.store.suggestions import SAMPLE_IDS

__all__ = ["sample_id_of"]

_DASHES: Final = (8, 12, 16, 20)  # digits of a UUID before each dash


def sample_id_of(given: str, ask: Ask) -> str:
    """The whole id of the sample whose id begins with some digits.

    Args:
        given: a sample id, or its first digits, eight or more; dashes do not matter.
        ask: asks the history; a whole id is returned without a question.

    Raises:
        ValueError: if it is no id and no beginning of one.
        StoreError: if no sample's id begins so, or several do.

    Example:
        >>> sample_id_of("05D28E17925D8022 7F96AAF8D21E18EC".replace(" ", ""), lambda: [])
        '05d28e17-925d-8022-7f96-aaf8d21e18ec'
    """
    digits = given.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{8,32}", digits):
        msg = (
            "a sample id is a UUID like 35e58da0-a9c8-20d0-81ca-9032c9e3fe09, "
            f"or the first 8 or more digits of one; got {given!r}"
        )
        raise ValueError(msg)
    whole = str(UUID(digits.ljust(32, "0")))
    beginning = whole[: len(digits) + sum(len(digits) > at for at in _DASHES)]
    if len(digits) == 32:
        return beginning
    found = ids_beginning(beginning, ask)
    if len(found) == 1:
        return found[0]
    msg = (
        f"several samples begin with {given!r}, like {found[0]} and {found[1]}; "
        "give more of the digits"
        if found
        else f"no sample of this history begins with {given!r}; `{SAMPLE_IDS}` lists some"
    )
    raise StoreError(msg)
