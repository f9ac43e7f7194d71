"""mainstem: streaming continual learning for e-commerce search and recommendation.

`open_home` is what a notebook needs: replay a log, ask the history, explain a sample, score texts.

Where to look in the source: an event enters in `events` and becomes a sample in `join`. `scoring`
scores it, with `responses` and `importance`, and judges it, with `standing`. `learning` trains on
it. `store` keeps its history. `loop` is the whole path on one page.
"""

from importlib.metadata import PackageNotFoundError, version

from mainstem.errors import MainstemError
from mainstem.notebook import Home, demo_log, open_home
from mainstem.settings import Settings

__all__ = ["Home", "MainstemError", "Settings", "__version__", "demo_log", "open_home"]

try:
    __version__ = version("mainstem")
except PackageNotFoundError:  # run from a checkout, as on a GPU machine without a network
    __version__ = "0+checkout"
