"""The promises that every store keeps, whatever engine is behind it."""

import time
from uuid import UUID

import pytest

from mainstem.errors import StoreError
from mainstem.store import Store, drawn_samples, samples_between, samples_since, trusted_samples
from mainstem.store.store import migrations

VIEWS = (
    "accepted_samples",
    "changed_texts",
    "contradictory_by_source",
    "costs_now",
    "costs_of_version",
    "estimates_now",
    "estimates_of_sample",
    "importance_by",
    "importance_of_behaviour",
    "importance_of_brand",
    "importance_of_category",
    "importance_of_item",
    "importance_of_mean_of_sample",
    "importance_of_price_band",
    "importance_of_query",
    "importance_of_sample",
    "items_seen",
    "items_so_far",
    "moves_now",
    "representations_now",
    "responses_now",
    "risers_and_fallers",
    "samples_now",
    "samples_so_far",
    "score_age",
    "sets",
    "sets_by_day",
    "shadow_correlations",
    "shadow_draws",
    "shadow_overlap",
    "shadow_sets",
    "sketches_now",
    "standings_now",
    "texts_of_item",
    "trusted_labels",
    "trusted_now",
    "versions_of_sample",
    "visits_of_sample",
    "watermarks",
)


def sample(
    number: int, *, label_version: int = 0, label: int = 1, offset: int | None = None
) -> dict[str, object]:
    """A row of `samples`."""
    return {
        "sample_id": UUID(int=number),
        "label_version": label_version,
        "question_id": UUID(int=number),
        "partition": 0,
        "offset": number if offset is None else offset,
        "event_time": 1_291_200_000_000 + number,
        "user": "pseudonym",
        "source": "purchase",
        "outcomes": ["return"] * label_version,
        "label": label,
        "weight": 1.0,
        "sampling_probability": 1.0,
        "query": "cup",
        "history": ["a", "b"],
        "item_id": f"item-{number % 2}",
        "category": "",
        "brand": "",
        "price_band": "2 to 5",
        "context_text": "红色 cup",
        "item_text": "red cup",
        "digest": "0" * 32,
    }


def response(
    number: int, version: int, norm: float, *, label_version: int = 0
) -> dict[str, object]:
    """A row of `responses`."""
    return {
        "sample_id": UUID(int=number),
        "label_version": label_version,
        "version": version,
        "partition": 0,
        "offset": number,
        "event_time": 1_291_200_000_000 + number,
        "label": 1,
        "part": "stream",
        "norm": norm,
        "scale": 2.0,
        "loss": 0.5,
        "margin": -1.0,
    }


def sketch(number: int, version: int, *floats: float, label_version: int = 0) -> dict[str, object]:
    """A row of `sketches`."""
    keys = ("sample_id", "label_version", "version", "partition", "offset", "event_time", "scale")
    of_response = response(number, version, 1.0, label_version=label_version)
    return {**{name: of_response[name] for name in keys}, "sketch": floats}


def write(store: Store, table: str, *rows: dict[str, object]) -> None:
    """Write rows, given one by one."""
    store.write(table, {name: [row[name] for row in rows] for name in rows[0]})


def test_a_row_written_twice_is_seen_once(store: Store) -> None:
    """Writing the same samples and responses again changes no answer."""
    for _ in range(2):
        write(store, "samples", sample(1), sample(2))
        write(store, "responses", response(1, 1, 4.0), response(1, 2, 2.0))
    assert [(2,)] == store.rows("SELECT count() FROM samples_now")
    assert [(2,)] == store.rows("SELECT count() FROM responses_now")
    assert [(2, 1.5)] == store.rows(
        "SELECT visit, importance FROM importance_of_sample WHERE version = 2"
    )


def test_a_revised_sample_is_seen_at_its_newest_label(store: Store) -> None:
    """A view shows the newest label version of a sample, and `samples` keeps all of them."""
    write(store, "samples", sample(1), sample(1, label_version=1, label=0, offset=7))
    assert [(1, 0)] == store.rows("SELECT label_version, label FROM samples_now")
    assert [(2,)] == store.rows("SELECT count() FROM samples")


def test_what_was_written_is_there_after_opening_again(url: str) -> None:
    """A store keeps its rows and does not run its migrations twice."""
    with Store(url) as first:
        write(first, "samples", sample(1))
    with Store(url) as second:
        assert [(1,)] == second.rows("SELECT count() FROM samples")
        assert [(number,) for number, _, _ in migrations()] == second.rows(
            "SELECT number FROM migrations ORDER BY number"
        )


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_answers(store: Store, view: str) -> None:
    """Each view can be queried, with rows and without."""
    store.ask(f"SELECT * FROM {view}")
    write(store, "samples", sample(1), sample(2))
    write(store, "responses", response(1, 1, 4.0), response(1, 2, 2.0), response(2, 1, 1.0))
    write(store, "sketches", sketch(1, 1, 4.0, 0.0), sketch(1, 2, 2.0, 0.0))
    store.ask(f"SELECT * FROM {view}")


def test_every_view_is_tested(store: Store) -> None:
    """`VIEWS` names all the views there are."""
    found = store.rows(
        "SELECT name FROM system.tables "
        "WHERE database = currentDatabase() AND engine = 'View' ORDER BY name"
    )
    assert VIEWS == tuple(name for (name,) in found)


def trusted(number: int, part: str, origin: str, label: int | None = None) -> dict[str, object]:
    """A row of `trusted`."""
    believed = int(origin != "assumed")
    return {
        "sample_id": UUID(int=number),
        "part": part,
        "origin": origin,
        "label": label,
        "believed": believed,
    }


def test_slices_stand_in_for_trusted_samples_until_there_are_some(store: Store) -> None:
    """Assumed parts are shown only while no label is confirmed."""
    write(store, "trusted", trusted(1, "canary", "assumed"), trusted(2, "gate", "assumed"))
    assert [(2,)] == store.rows("SELECT count() FROM trusted_now")
    write(store, "trusted", trusted(2, "canary", "confirmed", 0))
    # as a sink does that does not know of the confirmed label yet
    write(store, "trusted", trusted(2, "gate", "assumed"))
    assert [("canary", 0)] == store.rows("SELECT part, label FROM trusted_now")


def test_a_confirmed_label_overrules_that_of_the_log(store: Store) -> None:
    """A sample is read with its confirmed label if it has one, and otherwise with its own."""
    write(store, "samples", sample(1), sample(2))
    write(store, "trusted", trusted(1, "canary", "confirmed", 0))
    assert [(0, "canary"), (1, "stream")] == [
        (one.label, one.part) for one in samples_between(store, {0: (0, 9)})
    ]
    assert [0] == [one.label for one in trusted_samples(store, "canary", {0: 9})]


def test_importance_by_item_is_the_mean_of_scaled_norms(store: Store) -> None:
    """The importance of an item is the mean of its samples' norms, each divided by its scale."""
    write(store, "samples", sample(1), sample(2), sample(3))
    write(store, "responses", response(1, 1, 4.0), response(2, 1, 6.0), response(3, 1, 8.0))
    expected = [("item-0", 1, 3.0), ("item-1", 2, 3.0)]
    assert expected == store.rows(
        "SELECT item_id, responses, importance FROM importance_of_item ORDER BY item_id"
    )


def test_importance_of_the_mean_follows_a_samples_sketches(store: Store) -> None:
    """It is the length of the mean of the scaled sketches so far, also when they come twice."""
    for _ in range(2):
        write(
            store,
            "sketches",
            sketch(1, 1, 6.0, 0.0),
            sketch(1, 2, 0.0, 8.0),
            sketch(1, 3, -6.0, -8.0),
            sketch(2, 1, 0.0, 1.0),
        )
        write(
            store,
            "responses",
            *(response(1, version, 1.0) for version in (1, 2, 3)),
            response(2, 1, 1.0),
        )
    sql = (
        "SELECT visit, importance_of_mean FROM importance_of_mean_of_sample "
        "WHERE sample_id = {id:UUID} ORDER BY version"
    )
    assert [(1, 3.0), (2, 2.5), (3, 0.0)] == store.rows(sql, id=UUID(int=1))
    assert [(4,)] == store.rows("SELECT count() FROM sketches_now")


def test_alignments_that_there_are_are_averaged(store: Store) -> None:
    """Means leave out visits without an alignment, and without any alignment there is no mean."""
    aligned = [
        response(1, version, 1.0) | {"alignment": cosine}
        for version, cosine in ((1, None), (2, 0.5), (3, -0.25))
    ]
    write(store, "samples", sample(1), sample(2))
    write(store, "responses", *aligned, response(2, 1, 1.0) | {"alignment": None})
    sql = (
        "SELECT sample_id, running_alignment FROM importance_of_sample ORDER BY sample_id, version"
    )
    assert [None, 0.5, 0.125, None] == [alignment for _, alignment in store.rows(sql)]
    assert [(0, None), (1, None), (1, 0.5), (1, -0.25)] == store.rows(
        "SELECT toUInt8(item_id = 'item-1') AS odd, alignment "
        "FROM importance_of_item ORDER BY odd, version"
    )


def test_sketches_are_forgotten_by_when_they_were_written(store: Store) -> None:
    """A sketch expires 31 days after it was written, whatever its event time; responses stay."""
    write(store, "responses", response(1, 1, 4.0), response(1, 2, 4.0))
    old = sketch(1, 1, 1.0) | {"written": int(time.time()) - 31 * 86_400}
    write(store, "sketches", old)
    write(store, "sketches", sketch(1, 2, 1.0))
    store.execute("OPTIMIZE TABLE sketches FINAL")
    assert [(2,)] == store.rows("SELECT version FROM sketches_now")
    assert [(2,)] == store.rows("SELECT count() FROM responses_now")


def test_an_unknown_scheme_says_what_a_store_is() -> None:
    """The error for an unknown URL scheme names the schemes that are known."""
    with pytest.raises(StoreError, match="chdb:///folder or clickhouse://host"):
        Store("sqlite:///x")


def test_samples_are_read_back_by_place_part_draw_and_time(store: Store) -> None:
    """Each reader of samples returns its range with texts, part and newest label."""
    write(
        store,
        "samples",
        *(sample(number) for number in range(6)),
        sample(1, label_version=1, label=0, offset=6),
    )
    write(store, "trusted", trusted(4, "gate", "assumed"))
    draws = {
        "version": 3,
        "sample_id": UUID(int=1),
        "label_version": 0,
        "standing": "edge",
        "probability": 0.1,
    }
    write(store, "draws", draws)
    between = samples_between(store, {0: (1, 4)})
    assert [(1, 0), (2, 0), (3, 0)] == [(one.offset, one.label_version) for one in between]
    assert [(2, 0), (3, 0), (4, 0), (5, 0), (6, 1)] == [
        (one.offset, one.label_version)
        for one in samples_between(store, {0: (1, 7)})[0:]
        if one.offset > 1
    ]
    assert [("gate", 4)] == [
        (one.part, one.offset) for one in trusted_samples(store, "gate", {0: 6})
    ]
    assert [] == trusted_samples(store, "gate", {0: 4})
    assert [(1, 1)] == [(one.sample_id.int, one.label) for one in drawn_samples(store, 3)]
    assert {4, 5} == {one.sample_id.int for one in samples_since(store, 1_291_200_000_004, 9)}
    assert ("红色 cup", "red cup") == between[0].pair
