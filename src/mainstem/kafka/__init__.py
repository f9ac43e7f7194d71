"""What all programs beside Kafka share: where the broker is, the topics, what their records hold, and how they are read."""

from mainstem.kafka.broker import Broker
from mainstem.kafka.direct import DirectReader, Record
from mainstem.kafka.intake import Intake
from mainstem.kafka.monitor import Monitor
from mainstem.kafka.topics import TOPICS, Topic

__all__ = [
    "TOPICS",
    "Broker",
    "DirectReader",
    "Intake",
    "Monitor",
    "Record",
    "Topic",
]
