"""Figures of rounds in Weights & Biases: offline in a folder, or on a server that the user names.

`wandb sync FOLDER` sends an offline run later, if its user wishes so.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mainstem.tracking.tracker import is_address, lacking

__all__ = ["WandB"]

_QUIET: Final = MappingProxyType(
    {
        "WANDB_CONSOLE": "off",
        "WANDB_DISABLE_CODE": "true",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
    }
)
"""What the package would else collect or send beside the figures; the user's own values win."""


class WandB:
    """Writes one run of Weights & Biases.

    Args:
        where: a folder, for an offline run; or the address of a server, as https://api.wandb.ai.
        run: name of the project.
        begin: like `wandb.init`; None takes it.

    Raises:
        SettingError: if the package is not installed.
    """

    def __init__(self, where: str, run: str, begin: Callable[..., Any] | None = None) -> None:
        begin = begin or _begin()
        if is_address(where):
            self._run = begin(project=run, mode="online", settings={"base_url": where})
        else:
            Path(where).mkdir(parents=True, exist_ok=True)
            # subtle: the mode wins over the package's own variable of the environment
            self._run = begin(project=run, mode="offline", dir=where)

    def told(self, version: int, figures: Mapping[str, float]) -> None:
        """Write the figures of one round."""
        self._run.log(dict(figures), step=version)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def _begin() -> Callable[..., Any]:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from wandb import init  # needs the wandb extra
    except ImportError as error:
        raise lacking(error, "wandb") from error
    found: Callable[..., Any] = init
    return found
