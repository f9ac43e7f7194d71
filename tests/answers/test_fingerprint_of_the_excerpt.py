"""The joined excerpt has the hash that 0.1 printed, over the fields that samples had in 0.1."""

from importlib.resources import files
from pathlib import Path

from mainstem.answers.fingerprint import content_hash_0_1
from mainstem.embedded.items import write_items
from mainstem.events import decode, read_lines
from mainstem.events.survey import belongs_to_items, survey
from mainstem.join import Catalogue, Joiner, Sample
from mainstem.join.ledger import totals
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.writes import sample_columns

OF_0_1 = "a019d0eeabb8cecba1d0c85dda9f5fb6"


def test_the_excerpt_becomes_the_samples_and_counts_of_0_1(tmp_path: Path) -> None:
    """Fields added since 0.1 change neither the older fields of samples nor the counts."""
    log = Path(str(files("mainstem.data") / "online-retail.jsonl.gz"))
    found = survey(read_lines(log))
    settings, catalogue = Settings.of({"join.questions": found.questions}), Catalogue()
    for item in found.items:
        catalogue.add(item)
    joiner, outputs = Joiner(0, settings, catalogue, b"any key"), []
    for raw in read_lines(log):
        if not belongs_to_items(event := decode(raw), raw):
            outputs += joiner.step(joiner.next_offset, event)
    joiner, last = joiner.closed(
        found.newest + settings.join.label_window + settings.join.grace + 1
    )
    samples = [one for one in [*outputs, *last] if isinstance(one, Sample)]
    with Store(f"chdb://{tmp_path / 'history'}") as store:
        store.write(
            "samples",
            sample_columns([(sample, 0, offset) for offset, sample in enumerate(samples)]),
        )
        items, _ = write_items(store, found, b"any key")
        assert OF_0_1 == content_hash_0_1(store, totals([items, joiner.ledger_row()]))
