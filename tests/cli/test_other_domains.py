"""The page `docs/other-domains.md` runs as it is written there, on news, reviews and opinions."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from mainstem.events import Labelled, decode, read_lines
from tests.domains import write_tables
from tests.pages import ROOT
from tests.running_pages import prepare, run

PAGE = ROOT / "docs" / "other-domains.md"
REAL = ROOT.parent / "shared/data/noisy_agnews_10k/noisy_train.parquet"
NEWS = {"world", "sports", "business", "technology"}
MOODS = {"negative", "neutral", "positive"}
DOMAINS = {"news": NEWS, "reviews": MOODS, "opinions": MOODS}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder in which the page was followed, and what each domain's commands printed.

    The news are the real ones, if they are there.
    """
    folder = tmp_path_factory.mktemp("domains")
    prepare(PAGE, folder)
    write_tables(folder)
    if REAL.exists():
        shutil.copyfile(REAL, folder / "noisy_train.parquet")
    said = run(PAGE, folder)
    of_domain = {
        name: text for name in DOMAINS for block, text in said.items() if f"{name}.html" in block
    }
    return folder, of_domain


@pytest.mark.parametrize("domain", DOMAINS)
def test_all_texts_of_a_domain_are_imported(domain: str, followed) -> None:
    """A log has as many texts as were asked for, of all classes, and the import names them."""
    folder, said = followed
    events = [decode(line) for line in read_lines(folder / f"{domain}.jsonl")]
    labels = Counter(event.label for event in events if isinstance(event, Labelled))
    assert DOMAINS[domain] == set(labels)
    assert 1000 == len(events) == labels.total()
    assert f"wrote 1,000 labelled events to {domain}.jsonl" in said[domain]
    told = [f"{count:,} of class {name}" for name, count in labels.items()]
    assert [] == [line for line in told if line not in said[domain]]
    assert "left out" not in said[domain]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_no_fault_and_a_balanced_ledger(domain: str, followed) -> None:
    """`validate` passes every rule, and each line of the log is a question that is answered."""
    _, said = followed
    assert "PASS: 1,000 lines, in which labelled texts ask" in said[domain]
    assert {"PASS"} == {
        line.split("\t")[0]
        for line in said[domain].splitlines()
        if line.startswith(("PASS\t", "WARN\t", "FAIL\t"))
    }
    assert "1,000 questions = 1,000 answered" in said[domain]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_learnt_from_and_judged(domain: str, followed) -> None:
    """Rounds promote versions, and samples are in core and in edge."""
    _, said = followed
    assert "version 1 promoted" in said[domain]
    table = said[domain].partition("standing\treason\t")[2].splitlines()[1:]
    rows = [line.split("\t") for line in table if line.startswith(("core", "edge", "noise"))]
    counts = Counter()
    for standing, _, samples, *_ in rows:
        counts[standing] += int(samples)
    assert {"core", "edge"} <= set(counts)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_report_of_a_domain_speaks_of_its_texts(domain: str, followed) -> None:
    """The page of a home of labelled texts shows samples of its classes, and no purchases."""
    folder, _ = followed
    page = (folder / f"{domain}.html").read_text()
    shown = set(re.findall(r"<td[^>]*>([a-z]+)</td>", page))
    assert shown & DOMAINS[domain]
    assert set() == shown & ((NEWS | MOODS) - DOMAINS[domain])
    assert "bought" not in page
