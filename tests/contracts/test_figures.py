"""Every view, command and program shows the same figures of a sample, on every engine."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest

from mainstem.answers.explain import story_of
from mainstem.errors import StoreError
from mainstem.ids import uuid_of
from mainstem.learning.draws import StoredPool
from mainstem.scoring import ScoringWorker
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store import store as store_module
from mainstem.store.figures import VISITS, figures_of
from mainstem.store.named import Query
from tests.conftest import Run
from tests.contracts.figured import (
    DAY,
    EXACT,
    FIGURES,
    SAMPLES,
    K,
    expected,
    fill,
    responses,
)


def judged(store: Store) -> list[dict[str, Any]]:
    """Return what a worker publishes that reads its rows back and judges at the end of the log."""
    told: list[Any] = []
    settings = Settings.of({"responses.sketch": K})
    worker = ScoringWorker(store, settings, [0], trusted=False, publish=told.extend)
    worker.rebuild({0: 99}, 3, {0: 0})
    worker.judge(0, 99, DAY + 99, last=True)
    return [one._asdict() for one in told]


def told_by_the_history(store: Store) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (place, name of the sample, figures) for each place of the library."""
    published = {str(row["sample_id"]): row for row in judged(store)}
    drawable = dict(importances(store))
    last = "ORDER BY label_version DESC, version DESC LIMIT 1"
    of_view = (
        "visit AS visits, importance, running_margin AS margin, running_alignment AS alignment"
    )
    of_table = ", ".join(FIGURES)
    for name in SAMPLES:
        sample = uuid_of("sample", name)
        for place, columns, rest in (
            ("importance_of_sample", of_view, last),
            ("importance_of_mean_of_sample", f"{of_view}, importance_of_mean", last),
            (
                "visits_of_sample",
                "visit[-1] AS visits, importance[-1] AS importance, running_margin[-1] AS margin",
                "",
            ),
            ("risers_and_fallers", "visits", ""),
            ("standings_now", of_table, ""),
            ("moves_now", of_table, ""),
        ):
            header, rows = store.ask(
                f"SELECT {columns} FROM {place} WHERE sample_id = {{sample:UUID}} {rest}",
                sample=sample,
            )
            if rows or place != "risers_and_fallers":
                yield place, name, dict(zip(header, rows[0], strict=True))
        yield (
            "publish",
            name,
            {key: published[str(sample)][key] for key in FIGURES if key in published[str(sample)]},
        )
        yield "pool", name, {"importance": drawable[sample]}
        yield "figures", name, figures_of(VISITS.of(store, sample=sample))._asdict()
        story = story_of(
            str(sample),
            Settings(),
            lambda *queries, **known: [asked(store, one, **known) for one in queries],
        )
        yield "story", name, story["now"]
        yield "story's verdict", name, {key: story["verdicts"][-1][key] for key in FIGURES}
        yield "story at its top", name, {"importance": story["importance"]}


def asked(store: Store, query: Query[Any], **known: Any) -> list[Any]:
    """Return the typed rows of a query."""
    return query.typed(store.ask(query.sql, **known)[1])


def check(place: str, name: str, shown: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Assert that a place shows the figures that the definitions give."""
    for key in FIGURES:
        if key in shown:
            assert pytest.approx(figures[key], rel=EXACT.get(key, 1e-9)) == shown[key], (
                place,
                name,
                key,
            )


def test_every_place_shows_the_same_figures(url: str) -> None:
    """Views, pool, story, standings and published moves agree with the definitions of figures."""
    figures = {name: expected(name, rows) for name, rows in responses()}
    with Store(url) as store:
        fill(store)
        places = set()
        for place, name, shown in told_by_the_history(store):
            check(place, name, shown, figures[name])
            places.add(place)
        [(samples, importance)] = store.rows(
            "SELECT sum(samples), sum(samples * importance) FROM sets"
        )
    assert 12 == len(places)
    assert (len(SAMPLES), pytest.approx(sum(one["importance"] for one in figures.values()))) == (
        samples,
        importance,
    )


def test_the_commands_show_them_too(url: str, mainstem: Run) -> None:
    """`explain` and `history` show the last row of `importance_of_sample` to the last digit."""
    with Store(url) as store:
        fill(store)
        sql = (
            "SELECT importance FROM importance_of_sample WHERE sample_id = {sample:UUID} "
            "ORDER BY label_version, version"
        )
        last = {name: store.rows(sql, sample=uuid_of("sample", name))[-1][0] for name in SAMPLES}
    for name in ("the same answer by one version last", "an answer that comes back"):
        sample = uuid_of("sample", name)
        now = json.loads(
            mainstem("history", sample, "--store", url, "--json").stdout.splitlines()[-1]
        )
        assert ("now", last[name]) == (now["table"], now["importance"])
        told = json.loads(mainstem("explain", sample, "--store", url, "--json").stdout)
        assert last[name] == told["importance"]


def test_the_kind_of_each_visit_is_shown(url: str, mainstem: Run) -> None:
    """`explain` and `history` show how much of a response each visit computed."""
    name = "another answer"
    sample, rows = uuid_of("sample", name), dict(responses())[name]
    with Store(url) as store:
        fill(store)
    expected_kinds = [(row["label_version"], row["version"], row["kind"]) for row in rows]
    assert {"full", "last", "forward"} == {kind for *_, kind in expected_kinds}
    told = json.loads(mainstem("explain", sample, "--store", url, "--json").stdout)["visits"]
    lines = mainstem("history", sample, "--store", url, "--json").stdout.splitlines()
    listed = [row for row in map(json.loads, lines) if row["table"] == "visits"]
    for visits in (told, listed):
        found = [(one["label_version"], one["version"], one["kind"]) for one in visits]
        assert expected_kinds == found
    screen = mainstem("explain", sample, "--store", url).stdout.splitlines()
    [head] = [at for at, line in enumerate(screen) if line.startswith("version kind")]
    shown = [tuple(line.split()[:2]) for line in screen[head + 1 : head + 1 + len(rows)]]
    assert [(str(version), kind) for _, version, kind in expected_kinds] == shown


def test_a_sample_that_nothing_scored_has_no_figures(url: str, mainstem: Run) -> None:
    """`history` and `explain` show no figures of a sample that no version has scored."""
    with Store(url) as store:
        store.write("samples", {"sample_id": [UUID(int=1)]})
    now = json.loads(
        mainstem("history", UUID(int=1), "--store", url, "--json").stdout.splitlines()[-1]
    )
    assert ("now", 0, None) == (now["table"], now["visits"], now["importance"])
    story = json.loads(mainstem("explain", UUID(int=1), "--store", url, "--json").stdout)
    assert (None, None) == (story["importance"], story["now"])


def test_a_history_without_the_newest_views_shows_the_same(
    url: str, mainstem: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history without the newest views opens for asking and shows the same figures."""
    name = "a click and then a purchase"
    sample, figures = uuid_of("sample", name), expected(name, dict(responses())[name])
    migrations = store_module.migrations
    monkeypatch.setattr(
        store_module, "migrations", lambda: [one for one in migrations() if one[0] < 3]
    )
    with Store(url) as store:
        fill(store, left_out=("sketch", "answer_code", "kind"))
        with pytest.raises(StoreError, match="visits_of_sample"):
            store.rows("SELECT count() FROM visits_of_sample")
    monkeypatch.undo()
    told = json.loads(mainstem("explain", sample, "--store", url, "--json").stdout)
    check("explain", name, told["now"], figures)
    assert {"full"} == {visit["kind"] for visit in told["visits"]}
    with Store(url) as store:
        check("pool", name, {"importance": dict(importances(store))[sample]}, figures)


def importances(store: Store) -> Iterator[tuple[UUID, float]]:
    """Yield id and importance of each sample that may be drawn."""
    pool = StoredPool(store)
    return ((pool.id_of(row), float(one)) for row, one in enumerate(pool["importance"]))
