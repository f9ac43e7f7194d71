"""Compare the evidence with a model that was trained on the truth of a simulated shop.

    python -m tests.truth_trained --events 15000 --seed 0

The log of a shop with all its habits and accidents is replayed twice: as it is, and with the true
labels. The command prints how well wrong labels are ranked by the evidence of the first home, and
by the margins of the last version of the second home, which is the best that can be reached.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mainstem.bench.truth import compare, items_of, share_of
from mainstem.bootstrap import threads
from mainstem.embedded.asked import Asked
from mainstem.join import Sample
from mainstem.learning.evaluation import auc
from mainstem.loop import Loop
from mainstem.models import ActiveVersion
from mainstem.opening import open_loop
from mainstem.settings import Settings
from mainstem.simulate import Shop, simulate
from mainstem.store import samples_since
from mainstem.store.judged import JUDGED_SAMPLES
from mainstem.trusted.files import add_trusted


class Quiet:
    """Watches a replay and prints a line at the end of each round."""

    def block_done(self, loop: Loop, line: int) -> None:
        """Ignore the end of a block."""

    def round_done(self, done: Any) -> None:
        """Print the decision about the round."""
        print(f"  round {done.version}: {done.decision.reason}", flush=True)


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser()
    for name, value in (
        ("events", 15_000),
        ("seed", 0),
        ("users", 600),
        ("items", 400),
        ("days", 14),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = vars(parser.parse_args())
    events = given.pop("events")

    shop = Shop(**given)
    threads()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), shop, events)
    print(json.dumps(found, indent=1))


def measured(folder: Path, shop: Shop, events: int) -> dict[str, Any]:
    """Replay a log with its own and with true labels, and return both results."""
    log, truth, settings = (
        folder / "log.jsonl",
        folder / "truth.jsonl",
        Settings.from_environment(os.environ),
    )
    with log.open("wb") as lines, truth.open("wb") as said:
        simulate(shop, lines, said, events=events)
    labels = {sample_id: item.label for sample_id, _, item in items_of(truth)}

    def true(sample: Sample, _: str) -> Sample:
        return msgspec.structs.replace(sample, label=labels.get(sample.sample_id, sample.label))

    home = folder / "home"
    home.mkdir()
    add_trusted(home / "trusted.jsonl", share_of(truth, 0.1, settings))
    with open_loop(str(log), home, settings, Quiet()) as loop:
        loop.run()
        found = compare(JUDGED_SAMPLES.of(loop.store), truth, settings)
        stream = {row.sample_id for row in JUDGED_SAMPLES.of(loop.store)}
        seen = [one for one in samples_since(loop.store, 0, 10**9) if one.sample_id in stream]
    with open_loop(
        str(log), folder / "true", settings, Quiet(), Asked(relabel=("truth", true))
    ) as loop:
        loop.run()
        best = ActiveVersion(loop.versions.load(loop.worker.version), settings)
    logits = best.logits([one.pair for one in seen])
    label = np.array([one.label for one in seen])
    margin = np.where(label == 1, 1, -1) * (logits[:, 1] - logits[:, 0])
    wrong = np.array([labels.get(one.sample_id, one.label) != one.label for one in seen], np.int64)
    true_labels = np.array([labels.get(one.sample_id, one.label) for one in seen])
    return {
        **found,
        "auroc_trained_on_truth": auc(wrong, -margin),
        "auc_of_that_model": auc(true_labels, logits[:, 1] - logits[:, 0]),
    }


if __name__ == "__main__":
    main()
