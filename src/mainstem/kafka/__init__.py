"""What all programs beside Kafka share: the broker, and topics with their messages and readers."""

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
