"""What passes cost, on every engine: a row that is written twice counts once."""

import json
from typing import Any

from mainstem.store import Store
from mainstem.store.costs import COSTS_OF_VERSIONS, HAS_COSTS, KeptCost, write_costs
from mainstem.store.rewinding import rewind
from mainstem.store.versions import KeptVersion, write_version
from mainstem.store.writes import columns_of


def visited(store: Store, version: int, kind: str, first: int, end: int, tokens: int = 7) -> None:
    """Write what visits cost at the positions from `first` up to `end`."""
    known: dict[str, Any] = {"version": version, "kind": kind, "partition": 0, "samples": 1}
    known |= {"tokens": tokens, "forward_equivalents": tokens / 2, "seconds": 0.25}
    store.write("costs", columns_of([known | {"offset": at} for at in range(first, end)]))


def test_visits_made_again_in_other_groups_count_once(store: Store) -> None:
    """However visits are grouped before and after a crash, each counts once."""
    visited(store, 0, "score", 0, 10)
    visited(store, 0, "score", 10, 15)
    visited(store, 0, "score", 3, 20)
    visited(store, 0, "rescore", 3, 4)
    visited(store, 1, "score", 3, 4)
    assert [
        KeptCost(0, "rescore", 1, 7, 3.5, 0.25),
        KeptCost(0, "score", 20, 140, 70.0, 5.0),
        KeptCost(1, "score", 1, 7, 3.5, 0.25),
    ] == COSTS_OF_VERSIONS.of(store)


def test_a_round_made_again_replaces_what_it_cost(store: Store) -> None:
    """Only the last try of a round counts, and kinds without a pass are not told."""
    first = [KeptCost(2, "train", 30, 300, 300.0, 3.0), KeptCost(2, "scale", 1, 1, 1.0, 1.0)]
    last = [KeptCost(2, "train", 20, 200, 200.0, 2.0), KeptCost(2, "scale", 0, 0, 0.0, 0.0)]
    write_costs(store, first)
    write_costs(store, last)
    write_costs(store, [])
    assert last[:1] == COSTS_OF_VERSIONS.of(store)


def test_a_history_that_goes_back_keeps_what_its_rounds_cost(store: Store) -> None:
    """Going back to a checkpoint forgets visits after it and rounds after it, and no others."""
    visited(store, 0, "score", 0, 4)
    visited(store, 2, "rescore", 0, 1)
    visited(store, 0, "features", 0, 4, tokens=0)
    write_costs(store, [KeptCost(version, "train", 1, 10, 10.0, 1.0) for version in (1, 2)])
    rewind(store, {0: 0, 1: 0}, 1, {})
    assert [KeptCost(1, "train", 1, 10, 10.0, 1.0)] == COSTS_OF_VERSIONS.of(store)


def told(mainstem: Any, url: str) -> list[dict[str, Any]]:
    """Return what the command `versions` says of a history."""
    done = mainstem("versions", "--store", url, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_versions_are_told_with_what_they_cost(url: str, mainstem: Any) -> None:
    """`versions` adds up the kinds of each version, of which features are no pass."""
    with Store(url) as store:
        for version in (0, 1):
            write_version(store, KeptVersion(version, None, 0, 1, "good", "", ""))
        visited(store, 1, "score", 0, 4)
        visited(store, 1, "features", 0, 3, tokens=0)
        write_costs(store, [KeptCost(1, "train", 2, 10, 10.0, 1.5)])
    names = ("version", "reason", "samples", "tokens", "forward_equivalents", "seconds")
    names = (*names, "feature_seconds")
    expected = [(0, "good", 0, 0, 0.0, 0.0, 0.0), (1, "good", 6, 38, 24.0, 3.25, 0.75)]
    assert expected == [tuple(one[name] for name in names) for one in told(mainstem, url)]


def test_a_server_from_before_costs_still_tells_its_versions(url: str, mainstem: Any) -> None:
    """A history without the table gives the versions without costs, and the page says so."""
    with Store(url) as store:
        write_version(store, KeptVersion(0, None, 0, 1, "good", "", ""))
        assert [(1,)] == HAS_COSTS.of(store)
        store.execute("DROP VIEW costs_of_version")
        store.execute("DROP VIEW costs_now")
        store.execute("DROP TABLE costs")
        assert [(0,)] == HAS_COSTS.of(store)
    [version] = told(mainstem, url)
    assert "good" == version["reason"]
    assert "tokens" not in version
    page = mainstem("report", "--store", url, "-o", "-")
    assert page.returncode == 0, page.stderr
    assert "No pass has been counted." in page.stdout
