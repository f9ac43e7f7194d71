"""Figures of rounds in MLflow: in a file of the machine, or on a server that the user names."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mainstem.tracking.tracker import is_address, lacking

__all__ = ["MLflow", "tracking_uri"]


class MLflow:
    """Writes one run of MLflow.

    Args:
        where: a folder, or the address of a server.
        run: name of the experiment.
        client: like `mlflow.MlflowClient`; None makes one.

    Raises:
        SettingError: if MLflow is not installed.
    """

    def __init__(self, where: str, run: str, client: Any = None) -> None:
        self._client = client or _client(where)
        known = self._client.get_experiment_by_name(run)
        experiment = known.experiment_id if known else self._client.create_experiment(run)
        self._run: str = self._client.create_run(experiment).info.run_id

    def told(self, version: int, figures: Mapping[str, float]) -> None:
        """Write the figures of one round."""
        for name, value in figures.items():
            self._client.log_metric(self._run, name, value, step=version)

    def close(self) -> None:
        """Mark the run as done."""
        self._client.set_terminated(self._run)


def tracking_uri(where: str) -> str:
    """Where MLflow keeps its runs: on a server, or in a database of one file in a folder.

    Example:
        >>> tracking_uri("/home/tracking")
        'sqlite:////home/tracking/mlflow.db'
    """
    return where if is_address(where) else f"sqlite:///{Path(where).absolute()}/mlflow.db"


def _client(where: str) -> Any:
    # subtle: MLflow tells its makers how it is used, unless it is told not to before it is imported
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow import MlflowClient  # needs the mlflow extra
    except ImportError as error:
        raise lacking(error, "mlflow") from error
    if not is_address(where):
        Path(where).mkdir(parents=True, exist_ok=True)
    # subtle: without an address MLflow would take that of its own variable of the environment
    return MlflowClient(tracking_uri=tracking_uri(where))
