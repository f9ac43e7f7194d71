"""Every error that mainstem raises on purpose.

* MainstemError
  x SettingError       a setting has a wrong name or value
  x LogError           an event log cannot be read as one
  x BrokerError        the broker, or a topic on it, is not as it should be
  x ImportSourceError  a file to import has not the columns it should have
  x HomeError          a home is missing, busy, or was made with other settings
    - HomeInUseError   it is busy
  x ModelError         a model cannot be loaded, or holds a layer without a formula
    - BatchError       a layer reads something else than one row for each sample
    - NonFiniteError   a loss, a gradient or an answer of it is no finite number
  x OvertakenError     another learner took over
  x TrustError         a trusted sample cannot be read, or its label is no class
  x StoppedError       somebody asked the program to end while it waited
  x StoreError         the history refuses a query or a write
  x VersionError       a version is missing or incomplete

Each message says what was wrong, what was got and what to do; at the command line it is one line.
A bad *event* is no error: it becomes a `mainstem.events.Refusal`, and the stream goes on.
"""

__all__ = [
    "BatchError",
    "BrokerError",
    "HomeError",
    "HomeInUseError",
    "ImportSourceError",
    "LogError",
    "MainstemError",
    "ModelError",
    "NonFiniteError",
    "OvertakenError",
    "SettingError",
    "StoppedError",
    "StoreError",
    "TrustError",
    "VersionError",
]


class MainstemError(Exception):
    """Base of all the errors that mainstem raises on purpose."""


class SettingError(MainstemError):
    """A setting has a wrong name or value; the command line exits with 2."""


class LogError(MainstemError):
    """An event log is missing, empty, binary or cut off."""


class BrokerError(MainstemError):
    """A broker cannot be reached, or a topic on it is not as it should be."""


class ImportSourceError(MainstemError):
    """A file to import cannot be read, or lacks a column."""


class HomeError(MainstemError):
    """A home is missing, in use by another process, or was made with other settings."""


class HomeInUseError(HomeError):
    """Another process has the home open."""


class ModelError(MainstemError):
    """A model cannot be loaded, or holds a layer whose gradient response has no formula."""


class BatchError(ModelError, ValueError):
    """A layer reads something else than one row for each sample, so that no sample's gradient can be told there."""


class NonFiniteError(ModelError):
    """A loss, a gradient, a weight or an answer of a model is NaN or infinite."""


class OvertakenError(MainstemError):
    """Another learner took over while this one was at work."""


class StoppedError(MainstemError):
    """Somebody asked the program to end while it waited: no failure; the command line exits with 0."""


class StoreError(MainstemError):
    """The history store refuses a query or a write."""


class TrustError(MainstemError, ValueError):
    """A trusted sample cannot be read, or its label is no class."""


class VersionError(MainstemError):
    """A model version is missing, or its manifest and its files do not agree."""
