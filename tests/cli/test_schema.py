"""`mainstem schema` prints documents for programs in other languages."""

import json

from jsonschema import Draft202012Validator

from mainstem.events.schema import KINDS, event_schema
from mainstem.kafka.asyncapi import document
from tests.conftest import Run


def test_schema_prints_all_events_or_one(mainstem: Run) -> None:
    """Without a type the schema accepts every event, and with a type only events of it."""
    tick = {"type": "tick", "event_timestamp": 5}
    whole, click = (json.loads(mainstem("schema", *which).stdout) for which in ((), ("click",)))
    assert (event_schema(), event_schema("click")) == (whole, click)
    assert (True, False) == (
        Draft202012Validator(whole).is_valid(tick),
        Draft202012Validator(click).is_valid(tick),
    )


def test_schema_prints_the_document_of_all_topics(mainstem: Run) -> None:
    """`schema --asyncapi` prints the AsyncAPI document."""
    assert document() == json.loads(mainstem("schema", "--asyncapi").stdout)


def test_an_unknown_event_is_wrong_use(mainstem: Run) -> None:
    """An unknown type, or a type beside --asyncapi, is one line and exit code 2."""
    unknown, both = mainstem("schema", "hover"), mainstem("schema", "click", "--asyncapi")
    assert [(2, ""), (2, "")] == [(done.returncode, done.stdout) for done in (unknown, both)]
    assert ", ".join(KINDS) in unknown.stderr
    assert [1, 1] == [len(done.stderr.splitlines()) for done in (unknown, both)]
