"""A fault planted in a faultless log fails its own rule only, and its advice makes it pass."""

import re
from collections.abc import Callable
from copy import deepcopy

import pytest

from mainstem.settings import Settings
from mainstem.validate import Validation, validate
from tests.validate.faults import (
    CLEAN,
    bot,
    bought_only,
    changed,
    clicked_away,
    clicked_only,
    copied,
    delayed,
    future_dates,
    late_items,
    lost_days,
    missing_fields,
    no_answers,
    no_catalogue,
    numbered_daily,
    positions_from,
    seconds,
    shifted,
    strangers,
    unknown_item,
    wrong_types,
)
from tests.validate.shelf import (
    BEGIN,
    DAY,
    HOUR,
    NOW,
    Log,
    advice_of,
    at_fault,
    event,
    held,
    in_time,
    lines_of,
    settings_in,
    shop_log,
)


def test_a_log_without_a_fault_passes_every_rule() -> None:
    """No rule warns of the small shop, for any draw of it."""
    assert [{}] * 5 == [at_fault(held(lines_of(shop_log(seed)))) for seed in range(5)]


MENDED_BY_THE_PRODUCER = [
    ("fields", missing_fields(), "mend these fields"),
    ("fields", wrong_types(), "mend these fields"),
    ("future", future_dates(), "clock"),
    ("unit", seconds(), "multiply seconds by 1000"),
    ("missing days", lost_days(), "add the log of these days"),
    ("orphaned", strangers(), "user_id"),
    ("items", unknown_item(), "send an item event"),
    ("items", no_catalogue(), "send an item event"),
    ("items", late_items(), "no later than their first use"),
    ("positions", positions_from(lambda place: min(place, 3)), "number the items"),
    ("positions", positions_from(lambda place: place + 1), "number the items"),
    ("positions", positions_from(lambda place: None if place == 2 else place), "number the items"),
    ("positives", no_answers(), "log clicks, carts and purchases"),
    ("positives", clicked_only(), "log every item that was shown"),
    ("rates", bot(), "leave out the events of these users"),
    ("jumps", clicked_away(), "leave out the category's events"),
    ("repeated ids", numbered_daily(), "an id of its own"),
]


@pytest.mark.parametrize(("rule", "log", "advice"), MENDED_BY_THE_PRODUCER)
def test_a_planted_fault_fails_its_rule_alone(rule: str, log: Log, advice: str) -> None:
    """The rule fails, every other rule passes, and the advice names the fault."""
    found = held(lines_of(log))
    assert {rule: "FAIL"} == at_fault(found)
    assert advice in advice_of(found)


def examples_of(found: Validation) -> list[int]:
    """Return the line numbers that the failing rule names."""
    [finding] = [one for one in found.findings if one.status == "FAIL"]
    return [example.offset for example in finding.examples]


@pytest.mark.parametrize(
    "plant", [future_dates, bot, clicked_away, missing_fields, seconds, numbered_daily]
)
def test_examples_are_the_lines_at_fault(plant: Callable[[], Log]) -> None:
    """A finding names at most five of the planted lines, counted from 0."""
    log = plant()
    clean = {str(one) for one in CLEAN}
    named = [log[offset] for offset in examples_of(held(lines_of(log)))]
    assert 0 < len(named) <= 5
    if plant is not clicked_away:  # its examples are questions, which were not planted
        assert [] == [one for one in named if str(one) in clean]


# Most tests below follow the advice, and the log passes.


def test_leaving_out_the_named_shoppers_makes_rates_pass() -> None:
    """Without the events of the users at the named lines the log passes."""
    log = bot()
    users = {log[offset]["user_id"] for offset in examples_of(held(lines_of(log)))}
    assert {"bot"} == users
    assert {} == at_fault(held(lines_of([one for one in log if one.get("user_id") not in users])))


def test_leaving_out_the_named_lines_makes_future_pass() -> None:
    """Without the lines that are after now the log passes."""
    log = future_dates()
    named = set(examples_of(held(lines_of(log))))
    assert {} == at_fault(
        held(lines_of([one for offset, one in enumerate(log) if offset not in named]))
    )


def test_leaving_out_a_category_on_its_day_makes_jumps_pass() -> None:
    """Without the category's items and outcomes on the day that is named the log passes."""
    log = clicked_away()
    days = {log[offset]["event_timestamp"] // DAY for offset in examples_of(held(lines_of(log)))}
    kept: Log = []
    for one in deepcopy(log):
        if one["event_timestamp"] // DAY in days and one["type"] != "item":
            if one.get("item_id", "").startswith("pots"):
                continue
            if "items" in one:
                left = [
                    item["item_id"]
                    for item in one["items"]
                    if not item["item_id"].startswith("pots")
                ]
                one["items"] = [
                    {"item_id": item, "position": place} for place, item in enumerate(left, start=1)
                ]
        kept.append(one)
    assert {} == at_fault(held(lines_of(kept)))


def test_latin_1_fails_encoding_and_passes_converted() -> None:
    """A log in Latin-1 fails, and passes after conversion to UTF-8."""
    log = changed(lambda one: one["type"] == "search" and one.update(query="caf\u00e9"))
    texts = [line.decode("unicode_escape") for line in lines_of(log)]
    found = held([text.encode("latin-1") for text in texts])
    assert {"encoding": "FAIL"} == at_fault(found)
    assert "iconv -f LATIN1 -t UTF-8" in advice_of(found)
    assert {} == at_fault(held([text.encode() for text in texts]))


def test_one_endless_line_fails_encoding_and_passes_broken_up() -> None:
    """Events without line breaks between them fail as one long line, and pass when broken up."""
    searches = [
        event("search", f"more-{n}", BEGIN + n, user_id=f"u{n}", query="q" * 4000)
        for n in range(300)
    ]
    clean = in_time(CLEAN + searches)
    endless = [*lines_of(CLEAN), b"".join(lines_of(searches))[:1_000_001]]
    found = held(endless)
    assert {"encoding": "FAIL"} == at_fault(found)
    assert "one event per line" in advice_of(found)
    assert {} == at_fault(held(lines_of(clean)))


def test_a_log_that_is_one_endless_line_says_so() -> None:
    """A log that is one endless line fails rule `encoding`."""
    found = held([b"[" * 1_000_001])
    assert "FAIL" == at_fault(found)["encoding"]


OF_OUTCOMES = [("click", 2), ("click", -5), ("click", 5.5), ("purchase", -3), ("purchase", 1)]


@pytest.mark.parametrize(
    ("kind", "hours", "sort"),
    [
        *((kind, hours, False) for kind, hours in [*OF_OUTCOMES, ("search", 8)]),
        # a sorted log has no sign of when a search was really made
        *((kind, hours, True) for kind, hours in OF_OUTCOMES),
    ],
)
def test_local_time_fails_its_rule_alone_and_passes_mended(
    kind: str, hours: float, sort: bool
) -> None:
    """The advice on a kind in local time names its shift, and the log passes with it applied."""
    found = held(lines_of(shifted(kind, round(hours * HOUR), sort=sort)))
    assert {"time zone": "FAIL"} == at_fault(found)
    [(named, by)] = re.findall(r"(\w+): ([+-]\d+)", advice_of(found))
    assert kind == named
    mended = in_time(
        changed(
            lambda one: (
                one["type"] == named
                and one.update(event_timestamp=one["event_timestamp"] + int(by))
            ),
            shifted(kind, round(hours * HOUR), sort=sort),
        )
    )
    assert {} == at_fault(held(lines_of(mended)))


@pytest.mark.parametrize(
    ("rule", "log", "before"),
    [
        ("disorder", delayed(), {}),
        ("repeated ids", copied(), {}),
        ("positives", bought_only(), {"MAINSTEM_JOIN__NEGATIVES": "0"}),
    ],
)
def test_settings_that_are_advised_make_the_log_pass(
    rule: str, log: Log, before: dict[str, str]
) -> None:
    """Where a setting solves the problem, the advice names it, and with it the log passes."""
    lines = lines_of(log)
    found = validate(lambda: lines, Settings.from_environment(before), NOW)
    assert {rule: "FAIL"} == at_fault(found)
    advised = settings_in(advice_of(found))
    assert advised
    assert {} == at_fault(validate(lambda: lines, Settings.from_environment(before | advised), NOW))


def test_sorting_makes_disorder_pass() -> None:
    """The advice on disorder also says to sort the log, and the sorted log passes."""
    assert "sort the log" in advice_of(held(lines_of(delayed())))
    assert {} == at_fault(held(lines_of(in_time(delayed()))))


def test_a_single_fault_among_many_lines_warns() -> None:
    """A fault in one line of thousands is a warning and not a failure."""
    more = [
        event("search", f"more-{n}", BEGIN + 11 * HOUR, user_id=f"u{n}", query="q")
        for n in range(3000)
    ]
    log = in_time(CLEAN + more)
    log[-1].pop("user_id", None)
    try:
        assert {"fields": "WARN"} == at_fault(held(lines_of(log)))
    finally:
        log[-1]["user_id"] = "user-0"
