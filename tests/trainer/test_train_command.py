"""What `mainstem train learn` hands to the learner."""

import pytest
from typer.testing import CliRunner

from mainstem.trainer import cli, running

ADDRESSES = {
    "MAINSTEM_EVENTS": "kafka://localhost:1",
    "MAINSTEM_STORE": "clickhouse://localhost:1/none",
    "MAINSTEM_VERSIONS": "file:///nowhere",
    "MAINSTEM_JOIN__QUESTIONS": "shown",
}


@pytest.mark.parametrize(
    ("given", "environment", "processes"),
    [
        ((), {}, 1),
        ((), {"MAINSTEM_RUN__PROCESSES": "3"}, 3),
        (("--processes", "2"), {"MAINSTEM_RUN__PROCESSES": "3"}, 2),
    ],
)
def test_the_option_says_how_many_processes_train(
    given: tuple[str, ...],
    environment: dict[str, str],
    processes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--processes` comes before the setting, which is 1 unless it is set."""
    asked: list[int] = []
    for name in ("begin", "reach", "reach_store"):
        monkeypatch.setattr(cli, name, lambda *_: None)
    monkeypatch.setattr(
        running, "run_learner", lambda _, settings, *__, **___: asked.append(settings.run.processes)
    )
    done = CliRunner().invoke(cli.train, ["learn", *given], env=ADDRESSES | environment)
    assert 0 == done.exit_code, done.output
    assert [processes] == asked
