"""`mainstem validate` as people and programs use it."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.validate.shelf import BEGIN, DAY, Log, event, lines_of, shop_log

RULES = (
    "encoding",
    "fields",
    "future",
    "unit",
    "time zone",
    "disorder",
    "missing days",
    "positions",
    "rates",
    "repeated ids",
    "orphaned",
    "items",
    "positives",
    "jumps",
)


def written(path: Path, log: Log) -> Path:
    """Write a log as a file."""
    path.write_bytes(b"\n".join(lines_of(log)) + b"\n")
    return path


def test_a_good_log_exits_with_0_and_shows_every_rule(tmp_path: Path, mainstem: Run) -> None:
    """A good log passes every rule, and the output has delays and windows."""
    done = mainstem("validate", written(tmp_path / "log.jsonl", shop_log()), defaults=True)
    assert (0, "") == (done.returncode, done.stderr)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert list(RULES) == [row[1] for row in rows if row[0] == "PASS"]
    assert {"click", "purchase", "return"} <= {row[0] for row in rows}
    assert {"label_window", "revision_window", "grace"} <= {row[0] for row in rows}
    assert "█" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("PASS: ")


def test_a_bad_log_exits_with_1_and_says_where_and_what_to_do(
    tmp_path: Path, mainstem: Run
) -> None:
    """The failing rule has lines, ids and an advice, in the table and in the JSON."""
    log = shop_log()
    for one in log:
        for item in one.get("items", ()):
            item["position"] = 1
    path = written(tmp_path / "log.jsonl", log)
    told = mainstem("validate", path, defaults=True)
    machine = mainstem("validate", path, "--json", defaults=True)
    assert (1, 1) == (told.returncode, machine.returncode)
    [row] = [line.split("\t") for line in told.stdout.splitlines() if line.startswith("FAIL\t")]
    first = next(offset for offset, one in enumerate(log) if one["type"] == "impression")
    assert f"at {first} ({log[first]['event_id']})" in row[2]
    assert "number the items" in row[3]
    found = json.loads(machine.stdout)
    assert (len(log), "FAIL", "shown") == (found["lines"], found["status"], found["questions"])
    assert list(RULES) == [rule["rule"] for rule in found["rules"]]
    [finding] = [rule for rule in found["rules"] if rule["status"] == "FAIL"]
    assert {"offset": first, "event_id": log[first]["event_id"]} == finding["examples"][0]
    assert ["label_window", "revision_window", "grace"] == [
        window["setting"] for window in found["windows"]
    ]


def test_standard_input_is_read_as_a_file_is(tmp_path: Path, mainstem: Run) -> None:
    """`-` gives the output of the same file."""
    path = written(tmp_path / "log.jsonl", shop_log())
    from_file = json.loads(mainstem("validate", path, "--json", defaults=True).stdout)
    piped = json.loads(
        mainstem("validate", "-", "--json", defaults=True, input=path.read_text()).stdout
    )
    assert from_file | {"log": "-"} == piped


@pytest.mark.parametrize(
    "text", ["", "\0\1\2", "\ufeffcaf\u00e9"], ids=["empty", "binary", "UTF-16"]
)
def test_what_is_no_log_is_one_line_and_exit_code_1(
    text: str, tmp_path: Path, mainstem: Run
) -> None:
    """An empty, a binary or a UTF-16 file is an error in one line."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(text.encode("utf-16-le" if text.startswith("\ufeff") else "utf-8"))
    done = mainstem("validate", path)
    assert (1, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())


def test_settings_of_the_environment_are_those_that_count(tmp_path: Path, mainstem: Run) -> None:
    """The windows are those of the environment, and a wrong setting is wrong use."""
    path = written(tmp_path / "log.jsonl", shop_log())
    right, wrong = ({"MAINSTEM_JOIN__LABEL_WINDOW": value} for value in ("45m", "soon"))
    done = mainstem("validate", path, "--json", defaults=True, env=right)
    assert 45 * 60_000 == json.loads(done.stdout)["windows"][0]["now"]
    assert 2 == mainstem("validate", path, defaults=True, env=wrong).returncode


def test_the_shipped_excerpt_fails_nothing(mainstem: Run) -> None:
    """The excerpt, real purchases of eight days, has warnings but fails no rule."""
    from importlib import resources

    with resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as log:
        found = json.loads(mainstem("validate", log, "--json", defaults=True).stdout)
    assert "purchases" == found["questions"]
    warned = {rule["rule"] for rule in found["rules"] if rule["status"] != "PASS"}
    assert ("WARN", {"items", "missing days", "orphaned"}) == (found["status"], warned)


def purchases_only(*returns: tuple[str, str, int]) -> Log:
    """Make a log of purchases, one a day, and returns (shopper, item, day)."""
    items = [event("item", f"about-{n}", BEGIN, item_id=f"i{n}", title="a cup") for n in range(2)]
    bought = [
        event("purchase", f"p{n}", BEGIN + DAY, user_id=f"u{n}", item_id=f"i{n % 2}")
        for n in range(40)
    ]
    sent_back = [
        event("return", f"r{n}", BEGIN + day * DAY, user_id=user, item_id=item)
        for n, (user, item, day) in enumerate(returns)
    ]
    return [*items, *bought, *sent_back]


EARLIER = "begin the log earlier, so that it covers the purchases of what was returned"
WINDOW = "begin the log earlier, or set a longer MAINSTEM_JOIN__REVISION_WINDOW"


@pytest.mark.parametrize(
    ("returned", "reason", "advice"),
    [
        (("nobody", "i0", 1), "the shopper had no question before", EARLIER),
        (("u0", "i1", 2), "its item was in no question", EARLIER),
        (("nobody", "i0", 62), "the shopper had no question in 60d before", WINDOW),
    ],
)
def test_a_longer_window_is_advised_only_where_it_can_help(
    returned: tuple[str, str, int], reason: str, advice: str, tmp_path: Path, mainstem: Run
) -> None:
    """If the log holds no question for a return, only an earlier beginning of the log helps."""
    path = written(tmp_path / "log.jsonl", purchases_only(returned))
    found = json.loads(mainstem("validate", path, "--json", defaults=True).stdout)
    [rule] = [rule for rule in found["rules"] if rule["rule"] == "orphaned"]
    assert f"1 of 1 outcomes answer no question; {reason}" == rule["found"]
    assert rule["advice"].startswith(advice)


def test_a_log_of_purchases_is_told_what_was_not_measured(tmp_path: Path, mainstem: Run) -> None:
    """A rule without events, a single day and a window without delays say so in true words."""
    path = written(tmp_path / "log.jsonl", purchases_only(("nobody", "i0", 1))[2:])
    rows = [line.split("\t") for line in mainstem("validate", path).stdout.splitlines()]
    found = {row[1]: row[2] for row in rows if len(row) == 4}
    assert "nothing to measure; purchases and returns do not count" == found["rates"]
    assert "none missing in 1 day" == found["missing days"]
    nothing = {row[0]: row[3] for row in rows if len(row) == 5 and row[2] == "-"}
    assert {
        "label_window": "nothing to go by: no outcome except returns answers a question",
        "revision_window": "nothing to go by: no outcome answers a question",
        "grace": "nothing to go by: no event is late",
    } == nothing
