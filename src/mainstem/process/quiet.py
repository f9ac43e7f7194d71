"""What the model libraries say while they load a model, kept off the screen: what matters of it, we say in one line."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["quietly"]

_TALKERS: Final = ("transformers", "huggingface_hub")


@contextmanager
def quietly() -> Iterator[None]:
    """No log lines, warnings and progress bars of transformers and its hub inside; afterwards they talk as before."""
    from transformers.utils import logging as talk  # seconds to import

    levels = [(logger, logger.level) for logger in map(logging.getLogger, _TALKERS)]
    had_bars = talk.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger, _ in levels:
                logger.setLevel(logging.CRITICAL + 1)
            talk.disable_progress_bar()  # the hub's too
            yield
        finally:
            for logger, level in levels:
                logger.setLevel(level)
            if had_bars:
                talk.enable_progress_bar()
