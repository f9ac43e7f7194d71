"""Put the definitions of views into a query, so that it does not depend on the history's views.

A command that only asks does not migrate a server's history, which may have older views. A query
with its own definitions works there too, and gives the same figures.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from mainstem.store.store import migrations

__all__ = ["of_sample", "with_views"]

_VIEW: Final = re.compile(r"CREATE OR REPLACE VIEW (\w+) AS\s+(.*)", re.DOTALL)
_OVER_TABLES: Final = ("responses_now", "sketches_now")


def of_sample(question: str, *names: str) -> str:
    """Extend a query about one sample, `{sample:UUID}`, by the definitions of the views it reads.

    The views over the tables of responses and of sketches are restricted to the sample, and so are
    all views on top of them. Without that the engine would read the whole tables.

    Args:
        question: the query, which reads the views by their names.
        names: names of the views that it reads, each after the views that it reads itself.
    """
    defined = _definitions()
    sample = "WHERE sample_id = {sample:UUID}"
    return with_views(question, {one: f"{defined[one]} {sample}" for one in _OVER_TABLES}, *names)


def with_views(question: str, instead: Mapping[str, str], *names: str) -> str:
    """Extend a query by the definitions of the views it reads, over other rows than all.

    Args:
        question: the query, which reads the views by their names.
        instead: queries that stand for some views, by the names of these views.
        names: names of the views that it reads, each after the views that it reads itself.
    """
    defined = _definitions()
    views = [f"{name} AS ({sql.strip()})" for name, sql in instead.items()]
    views += [f"{name} AS ({defined[name]})" for name in names]
    return f"WITH {', '.join(views)} {question.strip()}"


@lru_cache
def _definitions() -> dict[str, str]:
    """The newest definition of each view, by its name."""
    statements = [statement for _, _, statements in migrations() for statement in statements]
    return {found[1]: found[2] for found in map(_VIEW.fullmatch, statements) if found}
