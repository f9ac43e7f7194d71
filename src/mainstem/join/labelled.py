"""The sample of a labelled text, which needs no join because the event brings its answer."""

from mainstem.events import Labelled
from mainstem.ids import uuid_of
from mainstem.join.sample import Sample
from mainstem.objectives import label_of, targets_of_class
from mainstem.settings import Objectives

__all__ = ["labelled_sample"]


def labelled_sample(event: Labelled, user: str, number: int, objectives: Objectives) -> Sample:
    """Make the sample of a labelled text or pair of texts.

    The text becomes the context, which the model reads first, and its pair becomes the item text.

    Args:
        event: the text, its pair if it has one, and the name of its class.
        user: pseudonym of the event's user.
        number: number of the class.
        objectives: settings that name the objectives and the classes.

    Example:
        >>> event = Labelled(event_id="e", event_timestamp=0, user_id="u", text="cup", label="yes")
        >>> labelled_sample(event, "pseudonym", 1, Objectives()).context_text
        'cup'
    """
    item_id, names = event.item_id or "", objectives.objective_names
    targets = targets_of_class(number, len(objectives.class_names), event.grade, names)
    return Sample(
        sample_id=uuid_of("sample", event.event_id, item_id),
        label_version=0,
        question_id=uuid_of("question", event.event_id),
        event_time=event.event_timestamp,
        user=user,
        source="labelled",
        outcomes=(),
        label=label_of(targets),
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
        targets=targets,
    )
