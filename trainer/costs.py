"""Counters that show Prometheus what the passes of a program cost, and its features."""

from mainstem.process.stopwatch import SPENT, Cost

__all__ = ["CostCounters"]


class CostCounters:
    """Counters of samples, tokens, forward-equivalents and seconds, by kind of pass.

    They count what this process did, work that is repeated after a crash included; the history
    counts that once.
    """

    def __init__(self) -> None:
        from prometheus_client import Counter  # only programs have it

        meanings = {
            "samples": "Samples that passes through a model read, or whose features were computed",
            "tokens": "Tokens that passes through a model read, without padding",
            "forward_equivalents": "Tokens that plain passes would have read for the same work",
            "seconds": "Seconds of stages that pass samples through a model or compute features",
        }
        self._counters = {
            name: Counter(f"mainstem_cost_{name}", meaning, ["kind"])
            for name, meaning in meanings.items()
        }
        self._shown: dict[str, Cost] = {}

    def show(self) -> None:
        """Count what was spent since the last call; stages without samples are left out."""
        for kind, cost in list(SPENT.costs.items()):
            if not cost.samples:
                continue
            before = self._shown.get(kind, Cost())
            for name, counter in self._counters.items():
                counter.labels(kind).inc(getattr(cost, name) - getattr(before, name))
            self._shown[kind] = cost
