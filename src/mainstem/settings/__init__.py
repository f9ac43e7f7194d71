"""Settings, durations, and where things are (URLs)."""

from mainstem.settings.settings import PREFIX, Settings, parse_duration

__all__ = ["PREFIX", "Settings", "parse_duration"]
