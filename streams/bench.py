"""`mainstem bench stream`."""

__all__ = ["bench"]


def bench() -> None:
    """Measure."""
