"""Silences the model libraries while they load a model; mainstem reports what matters itself."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["quietly"]

_TALKERS: Final = ("transformers", "huggingface_hub")


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress log lines, warnings and progress bars of transformers and its hub inside."""
    from transformers.utils import logging as talk  # seconds to import

    levels = [(logger, logger.level) for logger in map(logging.getLogger, _TALKERS)]
    had_bars = talk.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger, _ in levels:
                logger.setLevel(logging.CRITICAL + 1)
            talk.disable_progress_bar()  # those of the hub too
            yield
        finally:
            for logger, level in levels:
                logger.setLevel(level)
            if had_bars:
                talk.enable_progress_bar()
