"""One thread for all tests in this folder."""

from tests.small_models import one_thread

__all__ = ["one_thread"]
