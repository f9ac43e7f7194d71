"""The sample of a labelled text: it needs no join, for the event brings its answer."""

from mainstem.events import Labelled
from mainstem.ids import uuid_of
from mainstem.join.sample import Sample

__all__ = ["labelled_sample"]


def labelled_sample(event: Labelled, user: str, label: int) -> Sample:
    """What a labelled text is to the model: the text first, its pair second.

    Args:
        event: the text and what was said of it.
        user: pseudonym of who wrote or read it.
        label: the number of the class that its label names.

    Example:
        >>> event = Labelled(event_id="e", event_timestamp=0, user_id="u", text="red cup", label="yes")
        >>> labelled_sample(event, "pseudonym", 1).context_text
        'red cup'
    """
    item_id = event.item_id or ""
    return Sample(
        sample_id=uuid_of("sample", event.event_id, item_id),
        label_version=0,
        question_id=uuid_of("question", event.event_id),
        event_time=event.event_timestamp,
        user=user,
        source="labelled",
        outcomes=(),
        label=label,
        weight=1.0,
        sampling_probability=1.0,
        query="",
        history=(),
        item_id=item_id,
        category=event.category or "",
        brand="",
        price_band="",
        context_text=event.text,
        item_text=event.pair or "",
        targets=(float(label),),
    )
