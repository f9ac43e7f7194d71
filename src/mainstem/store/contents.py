"""What a hash over the samples of a history is made of."""

from typing import Final, NamedTuple

from mainstem.store.named import Query

__all__ = ["CONTENTS", "Content"]


class Content(NamedTuple):
    """A sample at a label version, and the digest of what it holds."""

    sample_id: str
    label_version: int
    digest: str | bytes


CONTENTS: Final = Query(
    Content, "SELECT toString(sample_id) AS id, label_version, digest FROM samples FINAL ORDER BY id, label_version"
)
"""By sample id and label version."""
