"""Figures of rounds as event files, which `tensorboard --logdir FOLDER` shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mainstem.errors import SettingError
from mainstem.tracking.tracker import is_address, lacking

__all__ = ["TensorBoard"]


class TensorBoard:
    """Writes event files into a folder.

    Args:
        where: the folder.
        writer: like `torch.utils.tensorboard.SummaryWriter`; None makes one.

    Raises:
        SettingError: if `where` is an address, or TensorBoard is not installed.
    """

    def __init__(self, where: str, writer: Any = None) -> None:
        if is_address(where):
            msg = f"tracking.to tensorboard writes to a folder; got the address {where!r}"
            raise SettingError(msg)
        self._writer = writer or _writer(Path(where))

    def told(self, version: int, figures: Mapping[str, float]) -> None:
        """Write the figures of one round."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, version)
        # a replay may be killed at any time
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def _writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # needs the tensorboard extra
    except ImportError as error:
        raise lacking(error, "tensorboard") from error
    return SummaryWriter(str(folder))
