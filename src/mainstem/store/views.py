"""Views by their definition, so that a question brings along those that it reads.

Who only asks leaves a server's history as it is, and one of before has the views of before. A question that brings its own
definitions is answered there too, and with the same figures.
"""

import re
from functools import lru_cache
from typing import Final

from mainstem.store.store import migrations

__all__ = ["of_sample"]

_VIEW: Final = re.compile(r"CREATE OR REPLACE VIEW (\w+) AS\s+(.*)", re.DOTALL)
_OVER_TABLES: Final = ("responses_now", "sketches_now")


def of_sample(question: str, *names: str) -> str:
    """A question about one sample, `{sample:UUID}`, with the newest definitions of the views that it reads.

    Of the tables of responses and sketches nothing but the rows of the sample is read: the views above them are narrowed,
    and all that stands on those with them. An engine that is to find out for itself reads whole tables.

    Args:
        question: in SQL.
        names: of its views, each after those that it reads itself.
    """
    narrow = [
        f"{name} AS ({_definitions()[name]} WHERE sample_id = {{sample:UUID}})"
        for name in _OVER_TABLES
    ]
    return f"WITH {', '.join([*narrow, *(f'{name} AS ({_definitions()[name]})' for name in names)])} {question.strip()}"


@lru_cache
def _definitions() -> dict[str, str]:
    statements = [statement for _, _, statements in migrations() for statement in statements]
    return {found[1]: found[2] for found in map(_VIEW.fullmatch, statements) if found}
