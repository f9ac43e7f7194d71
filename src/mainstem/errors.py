"""Every error that mainstem raises on purpose.

* MainstemError
  x SettingError       a setting has a wrong name or value
  x LogError           an event log cannot be read
  x BrokerError        the broker cannot be reached, or a topic on it is wrong
  x ImportSourceError  a file to import cannot be read or lacks a column
  x HomeError          a home is missing, in use, or was made with other settings
    - HomeInUseError   another process has the home open
  x ModelError         a model cannot be loaded, or has a layer without a formula
    - BatchError       a layer does not read one row for each sample
    - NonFiniteError   a loss, gradient, weight or answer of a model is not finite
  x OvertakenError     another learner took over
  x ProcessError       a process of a training ended before it was done
  x TrustError         a trusted sample cannot be read, or its label is no class
  x StoppedError       a user stopped the program while it waited
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
    "ProcessError",
    "SettingError",
    "StoppedError",
    "StoreError",
    "TrustError",
    "VersionError",
]


class MainstemError(Exception):
    """Base of all errors that mainstem raises on purpose."""


class SettingError(MainstemError):
    """A setting has a wrong name or value; the command line exits with 2."""


class LogError(MainstemError):
    """An event log cannot be read: it is missing, empty, binary or cut off."""


class BrokerError(MainstemError):
    """A broker cannot be reached, or a topic on it is missing or has the wrong shape."""


class ImportSourceError(MainstemError):
    """A file to import cannot be read, or lacks a column."""


class HomeError(MainstemError):
    """A home is missing, in use by another process, or was made with other settings."""


class HomeInUseError(HomeError):
    """Another process has the home open."""


class ModelError(MainstemError):
    """A model cannot be loaded, or has a layer for whose gradient response there is no formula."""


class BatchError(ModelError, ValueError):
    """A layer does not read one row for each sample, so samples' gradients cannot be separated."""


class NonFiniteError(ModelError):
    """A loss, a gradient, a weight or an answer of a model is NaN or infinite."""


class OvertakenError(MainstemError):
    """Another learner took over while this learner was working."""


class StoppedError(MainstemError):
    """A user stopped the program while it waited; this is no failure, so the exit code is 0."""


class StoreError(MainstemError):
    """The history cannot be opened, or refuses a query or a write."""


class ProcessError(MainstemError):
    """A process of a training ended before it was done; the training can be begun again."""


class TrustError(MainstemError, ValueError):
    """A trusted sample cannot be read, or its label is no class."""


class VersionError(MainstemError):
    """A version is missing, or its manifest and its files do not agree."""
