"""mainstem: streaming continual learning for e-commerce search and recommendation.

Where to look: an event enters in `events`, becomes a sample in `join`, is scored in `responses` and `importance`, judged in
`standing`, learnt from in `learning`; its history is kept in `store`. `loop` is the whole way on one page.
"""

from importlib.metadata import PackageNotFoundError, version

from mainstem.errors import MainstemError
from mainstem.settings import Settings

__all__ = ["MainstemError", "Settings", "__version__"]

try:
    __version__ = version("mainstem")
except PackageNotFoundError:  # run from a checkout, as on a GPU machine without a network
    __version__ = "0+checkout"
