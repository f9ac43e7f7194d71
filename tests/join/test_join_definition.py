"""The fold is compared with a plain definition of labels that sees the whole log at once."""

from collections import Counter, defaultdict

from hypothesis import given

from mainstem.events import Event, Impression, Purchase, Refusal, Return, Tick, View
from mainstem.events.vocabulary import Outcome
from mainstem.ids import uuid_of
from tests.join.generated import EXAMPLES, SHELF, WINDOWS, Log, asks, join, logs


def question_of(event: Event, questions: str) -> list[str]:
    """Return the items that an event asks about, or none if it is no question."""
    if questions == "purchases":
        return [event.item_id] if isinstance(event, Purchase) else []
    if isinstance(event, Impression):
        return [item.item_id for item in event.items]
    return [event.item_id] if isinstance(event, View) and not event.impression_id else []


def labels_by_definition(
    log: list[Event], questions: str
) -> tuple[set[tuple[str, int, int]], Counter[str]]:
    """Return (sample id, label version, label) of samples not drawn, and fates of outcomes."""
    fates: Counter[str] = Counter()
    asked = [
        (event, question_of(event, questions)) for event in log if question_of(event, questions)
    ]
    answers = defaultdict(list)
    for event in log:
        if not isinstance(event, Return if questions == "purchases" else Outcome):
            continue
        matching = [
            (question.event_timestamp, question.event_id, question)
            for question, items in asked
            if question.user_id == event.user_id
            and event.item_id in items
            and 0
            <= event.event_timestamp - question.event_timestamp
            <= 2 * WINDOWS["revision_window"]
            and (questions == "purchases" or _fits(event, question))
        ]
        if not matching:
            fates["orphaned"] += 1
            continue
        time, question_id, _ = max(matching, key=lambda match: match[:2])
        delay = event.event_timestamp - time
        fate = "revised" if delay <= WINDOWS["revision_window"] else "late"
        fate = "joined" if delay <= WINDOWS["label_window"] else fate
        fates[fate] += 1
        if fate != "late":
            answers[question_id, event.item_id].append(
                (event.event_timestamp, event.event_id, fate, event)
            )
    labels = set()
    for question, items in asked:
        for item in set(items):
            if SHELF.as_of(item, question.event_timestamp):
                folded = sorted(answers[question.event_id, item], key=lambda entry: entry[:2])
                first = sum(fate == "joined" for *_, fate, _ in folded)
                for version in range(first, len(folded) + 1):
                    label = isinstance(question, Purchase)
                    if version:
                        label = not isinstance(folded[version - 1][3], Return)
                    sample_id = str(uuid_of("sample", question.event_id, item))
                    labels.add((sample_id, version, int(label)))
    return labels, fates


def _fits(outcome: Outcome, question: Event) -> bool:
    return outcome.impression_id is None or (
        isinstance(question, Impression) and outcome.impression_id == question.impression_id
    )


@EXAMPLES
@given(logs(), asks)
def test_labels_are_those_of_the_definition(log: Log, questions: str) -> None:
    """Label versions and the fates of outcomes are those of the definition."""
    events = [event for event in log.ordered if not isinstance(event, Tick | Refusal)]
    labels, fates = labels_by_definition(events, questions)
    found = join([*log.arrived, Tick(event_timestamp=10**6)], 10**6, questions)
    asked = [sample for sample in found.samples if sample.source != "drawn"]
    assert labels == {
        (str(sample.sample_id), sample.label_version, sample.label) for sample in asked
    }
    assert fates == Counter(
        {name: found.counts[name] for name in ("joined", "revised", "late", "orphaned")}
    )
