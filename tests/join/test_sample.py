"""The sample's digest, and the words for a price, an item and a context."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mainstem.events import Item
from mainstem.join import Sample, digest_0_1_of, digest_of, price_band
from mainstem.join.text import context_text, item_text

SAMPLE = Sample(
    sample_id=UUID(int=1),
    label_version=0,
    question_id=UUID(int=2),
    event_time=1000,
    user="pseudonym",
    source="view",
    outcomes=("click",),
    label=1,
    weight=1.0,
    sampling_probability=1.0,
    query="tea",
    history=("mug", "pot"),
    item_id="cup",
    category="cups",
    brand="Acme",
    price_band="2 to 5",
    context_text="tea ; mug",
    item_text="red cup",
    targets=(1.0,),
    position=3,
    price=2.5,
    history_price=2.25,
    item_age=500,
    own_touches=2,
    own_purchases=1,
    own_last=7,
)
CHANGES = {
    "sample_id": UUID(int=3),
    "label_version": 1,
    "question_id": UUID(int=3),
    "event_time": 1001,
    "source": "impression",
    "outcomes": ("click", "return"),
    "label": 0,
    "weight": 0.5,
    "sampling_probability": 0.5,
    "query": "",
    "history": ("pot", "mug"),
    "item_id": "mug",
    "category": "",
    "brand": "",
    "price_band": "",
    "context_text": "tea",
    "item_text": "red mug",
    "targets": (1.0, 0.0),
    "position": 4,
    "price": 2.75,
    "history_price": 0.0,
    "item_age": -1,
    "own_touches": 0,
    "own_purchases": 0,
    "own_last": -1,
}
NEW = CHANGES.keys() - set(Sample.__struct_fields__[:18])  # since 0.1
BANDS = {
    0.004: "0.002 to 0.005",
    0.1: "0.1 to 0.2",
    0.99: "0.5 to 1",
    1: "1 to 2",
    1.99: "1 to 2",
    2: "2 to 5",
    4.99: "2 to 5",
    5: "5 to 10",
    9.99: "5 to 10",
    10: "10 to 20",
    999.99: "500 to 1000",
    1000: "1000 to 2000",
    38970: "20000 to 50000",
    0: "",
    -1: "",
    None: "",
}


def test_a_digest_leaves_the_pseudonym_out() -> None:
    """Another key, and so another pseudonym, does not change the digest."""
    assert digest_of(SAMPLE) == digest_of(msgspec.structs.replace(SAMPLE, user="another"))
    assert 32 == len(digest_of(SAMPLE))


@pytest.mark.parametrize("name", CHANGES)
def test_a_digest_changes_with_all_else(name: str) -> None:
    """A change of any other field changes the digest."""
    assert digest_of(SAMPLE) != digest_of(msgspec.structs.replace(SAMPLE, **{name: CHANGES[name]}))


def test_every_field_but_the_pseudonym_is_in_a_digest() -> None:
    """The changes above cover every field of a sample but the pseudonym."""
    assert {*CHANGES, "user"} == set(Sample.__struct_fields__)


def test_the_digest_of_0_1_is_the_one_that_0_1_made() -> None:
    """The digest of release 0.1 is as it printed it, without the fields that came later."""
    assert "73af6562caaea32c749fbb6ad107b5d9" == digest_0_1_of(SAMPLE)
    later = {name: CHANGES[name] for name in NEW}
    assert {"targets", "position", "price", "own_last"} <= NEW
    assert digest_0_1_of(SAMPLE) == digest_0_1_of(msgspec.structs.replace(SAMPLE, **later))


@pytest.mark.parametrize(("price", "band"), BANDS.items())
def test_a_price_falls_into_its_band(price: float | None, band: str) -> None:
    """Bands are 1 to 2, 2 to 5, 5 to 10 of each power of ten, with their lower ends."""
    assert band == price_band(price)


@settings(deadline=None)
@given(st.floats(1e-6, 1e9))
def test_a_band_holds_its_price(price: float) -> None:
    """Any price lies in its band, but for the rounding of binary fractions."""
    low, high = map(float, price_band(price).split(" to "))
    assert low * (1 - 1e-8) <= price <= high * (1 + 1e-8)
    assert round(high / low, 6) in {2, 2.5}


@settings(deadline=None)
@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_bands_are_in_the_order_of_prices(first: int, second: int) -> None:
    """A higher price, in whole pence, is in the same band or a higher one."""
    assume(first <= second)
    lows = [float(price_band(pence / 100).split(" to ")[0]) for pence in (first, second)]
    assert sorted(lows) == lows


def test_an_item_in_words_leaves_out_what_it_lacks() -> None:
    """Title, category, brand and price band are written in this order, without gaps."""
    known = {"event_id": "i", "event_timestamp": 0, "item_id": "cup", "title": "red cup"}
    assert item_text(Item(**known)) == "red cup"
    whole = Item(**known, category="cups", brand="Acme", price=2.5)
    assert item_text(whole) == "red cup | cups | Acme | price 2 to 5"


@pytest.mark.parametrize(
    ("query", "titles", "text"),
    [
        ("", [], ""),
        ("tea", [], "tea"),
        ("", ["mug", "pot"], "mug ; pot"),
        ("tea", ["mug"], "tea ; mug"),
    ],
)
def test_a_context_in_words_is_query_then_history(query: str, titles: list[str], text: str) -> None:
    """The query is written before the titles, and an absent part leaves no gap."""
    items = [Item(event_id=name, event_timestamp=0, item_id=name, title=name) for name in titles]
    assert text == context_text(query, [item.title for item in items])
