"""Helpers for tests of the validator: the faultless log of a small shop, and its verdicts."""

import json
import random
import re
from typing import Any

from mainstem.settings import Settings
from mainstem.validate import Validation, validate
from tests.named import named

HOUR, MINUTE, DAY = 3_600_000, 60_000, 86_400_000
# 2023-11-15, midnight UTC
BEGIN = 1_700_006_400_000
DAYS = 10
NOW = BEGIN + 30 * DAY
CATEGORIES = ("cups", "pots", "tins")
Log = list[dict[str, Any]]


def shop_log(seed: int = 0) -> Log:
    """Make ten days of a shop in order of time: 450 pages of six items, a third of them clicked."""
    draws = random.Random(seed)
    items = [f"{category}-{number}" for number in range(10) for category in CATEGORIES]
    log: Log = [
        event(
            "item",
            f"item-{item}",
            BEGIN - DAY,
            item_id=item,
            title=item,
            category=item.split("-")[0],
        )
        for item in items
    ]
    for page in range(45 * DAYS):
        day, number = divmod(page, 45)
        time = BEGIN + day * DAY + 8 * HOUR + number * 15 * MINUTE + draws.randrange(MINUTE)
        log += visit(draws, page, time, items)
    return in_time(log)


def visit(draws: random.Random, page: int, time: int, items: list[str]) -> Log:
    """Make a search, the page that answers it, and the shopper's outcomes."""
    who = {"user_id": f"user-{draws.randrange(60)}", "session_id": f"session-{page}"}
    first = 3 * draws.randrange(9)
    shown = items[first : first + 6]
    made = [
        event("search", f"search-{page}", time - 5000, query="something", **who),
        event(
            "impression",
            f"page-{page}",
            time,
            impression_id=f"page-{page}",
            items=[
                {"item_id": item, "position": place} for place, item in enumerate(shown, start=1)
            ],
            **who,
        ),
    ]
    for item in shown:
        about = {"item_id": item, "impression_id": f"page-{page}", **who}
        when, name = time, f"{page}-{item}"
        for kind, chance, wait in (("click", 0.33, 2), ("purchase", 0.3, 10), ("return", 0.1, 120)):
            if draws.random() > chance:
                break
            when += draws.randrange(wait * MINUTE) + 1000
            made.append(event(kind, f"{kind}-{name}", when, **about))
    return made


def event(kind: str, event_id: str, time: int, **more: Any) -> dict[str, Any]:
    """Make one event as it stands in a log."""
    return {"type": kind, "event_id": event_id, "event_timestamp": time, **more}


def in_time(log: Log) -> Log:
    """Sort a log by event time."""
    return sorted(log, key=lambda one: one["event_timestamp"])


def lines_of(log: Log) -> list[bytes]:
    """Write a log as lines."""
    return [json.dumps(one).encode() for one in log]


def held(lines: list[bytes], **settings: Any) -> Validation:
    """Validate a log at `NOW`."""
    return validate(lambda: lines, Settings.of(named(**settings)), NOW)


def at_fault(found: Validation) -> dict[str, str]:
    """Return the verdict of each rule that does not pass."""
    return {one.rule: one.status for one in found.findings if one.status != "PASS"}


def advice_of(found: Validation) -> str:
    """Return the advice of the only rule that fails."""
    [finding] = [one for one in found.findings if one.status == "FAIL"]
    return finding.advice


def settings_in(advice: str) -> dict[str, str]:
    """Return the environment variables that an advice names."""
    return dict(re.findall(r"(MAINSTEM_[A-Z_]+)=(\w+)", advice))
