"""Data that ships with the package; README.md says whose it is."""

from pathlib import Path

__all__ = ["demo_log"]


def demo_log() -> Path:
    """The event log that comes with mainstem: 12,000 purchases and returns of a gift shop.

    Example:
        >>> demo_log().name
        'online-retail.jsonl.gz'
    """
    return Path(__file__).parent / "online-retail.jsonl.gz"
