"""Each program ends within ten seconds in any state, and resumes at the next start."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from mainstem.kafka import Broker
from tests.services.deployed import SESSION, Deployment, until
from tests.services.running import PROGRAMS, Running, hanging, sql
from tests.services.servers import unique
from tests.small_models import save_bert

SETTINGS = {
    "MAINSTEM_JOIN__PARTITIONS": "2",
    "MAINSTEM_LEARNING__ROUND_EVERY": "200",
    "MAINSTEM_LEARNING__HELD_OUT": "100",
    "MAINSTEM_LEARNING__GATE_MARGIN": "1",
    "OMP_NUM_THREADS": "1",
}
ENDLESS = {"MAINSTEM_LEARNING__EPOCHS": "1000000", "MAINSTEM_LEARNING__PATIENCE": "1000000"}
SHORT = {"MAINSTEM_LEARNING__EPOCHS": "1"}
FROZEN = {**PROGRAMS, "learn": ("train", "learn", "--frozen")}
IN_TIME = dict.fromkeys(PROGRAMS, True)
_JOIN_AGAIN = 20.0  # seconds that a member of ours may take to be let in


@pytest.fixture(scope="module")
def deployment(
    kafka: Any, clickhouse: Any, tmp_path_factory: pytest.TempPathFactory, small_log: Path
) -> Deployment:
    """Stopped deployment with a joined and stored log and one version, and without responses."""
    folder = tmp_path_factory.mktemp("ending")
    model = str(save_bert(folder / "bert", num_hidden_layers=1, hidden_size=32))
    events = f"kafka://{kafka.servers}/{unique()}"
    made = Deployment(
        events,
        clickhouse.url(unique()),
        folder / "stack",
        {**SETTINGS, "MAINSTEM_MODEL__MODEL": model},
    )
    made.run("topics")
    made.run("stream", "replay", small_log)
    running = Running(
        made, {name: FROZEN[name] for name in ("join", "sink", "learn")}, session=SESSION
    )
    try:
        until(
            lambda: "announced version 0" in said(made, "learn") and made.audit()["in_balance"],
            120,
            made.told,
        )
        assert dict.fromkeys(("join", "sink", "learn"), (0, True)) == running.end(
            signal.SIGTERM, signal.SIGTERM
        )
    finally:
        running.kill()
    return made


def said(deployment: Deployment, name: str) -> str:
    """Return the log of a program."""
    return (deployment.folder / f"{name}.log").read_text()


def settle(deployment: Deployment) -> None:
    """Start the programs again, wait until all is settled, and check for one response a sample."""
    running = Running(
        deployment, {**FROZEN, "score": ("train", "score", "--idle", "1")}, SHORT, SESSION
    )
    try:
        until(deployment.settled, 120, deployment.told)
        assert IN_TIME == {name: in_time for name, (_, in_time) in running.end().items()}
    finally:
        running.kill()
    rows = (
        "SELECT count() AS rows, uniqExact(sample_id, label_version, version) AS visits "
        "FROM responses FINAL"
    )
    [found] = sql(deployment, rows)
    assert found["rows"] == found["visits"] > 0


class Group:
    """A consumer group that cannot finish to rebalance, because a member never joins again."""

    def __init__(self, broker: Broker, name: str, topic: str, *, protocol: str = "range") -> None:
        from kafka.coordinator.assignors.range import RangePartitionAssignor

        assignor = type("Assignor", (RangePartitionAssignor,), {"name": protocol})
        self._name, self._broker = broker.group(name), broker
        self._topic, self._options = (
            broker.topic(topic),
            {"partition_assignment_strategy": [assignor]},
        )
        self._members: list[Any] = []
        self._joined = 0.0  # when the newest member asked to join

    def join(self) -> None:
        """Add a member that asks to join."""
        from kafka import KafkaConsumer

        member: Any = KafkaConsumer(
            **self._broker.options, group_id=self._name, enable_auto_commit=False, **self._options
        )
        member.subscribe([self._topic])
        self._members.append(member)
        self._joined = time.monotonic()

    def poll(self) -> None:
        """Poll with the newest member, as members do."""
        self._members[-1].poll(100)

    def is_let_in(self) -> bool:
        """Return whether the group is stable with the program and our newest member."""
        self.poll()
        found = self.found()
        is_stable = found["group_state"] == "Stable" and len(found["members"]) == 2
        # subtle: on a busy machine the client may lose its membership while it joins, and then
        # polls on without asking to join again; a new member takes its place
        if not is_stable and time.monotonic() > self._joined + _JOIN_AGAIN:
            self._members.pop().close(autocommit=False)
            self.join()
        return is_stable

    def settles_anew(self) -> bool:
        """Return whether the group is rebalancing and waits for members."""
        self.poll()
        return bool(self.found()["group_state"] == "PreparingRebalance")

    def found(self) -> dict[str, Any]:
        """Return what the broker knows of the group."""
        from kafka.admin import KafkaAdminClient

        admin: Any = KafkaAdminClient(**self._broker.options)
        try:
            return dict(admin.describe_groups([self._name])[self._name])
        finally:
            admin.close()

    def leave(self) -> None:
        """Close all our members."""
        for member in self._members:
            member.close(autocommit=False)


def test_programs_end_in_the_middle_of_one_long_call(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Programs end in time during any long call that no signal interrupts."""
    for number, states in (
        (
            signal.SIGTERM,
            {
                "join": ("mainstem.streams.cli", "reach"),
                "sink": ("mainstem.store", "Store.write"),
                "score": ("mainstem.trainer.scoring", "load_active"),
            },
        ),
        (signal.SIGTERM, {"score": ("mainstem.scoring", "ScoringWorker.score")}),
        (signal.SIGINT, {"score": ("mainstem.scoring", "ScoringWorker.rebuild")}),
    ):
        signs = {name: tmp_path / f"{name}-{where}" for name, (_, where) in states.items()}
        programs = {
            name: hanging(PROGRAMS[name], *where, signs[name]) for name, where in states.items()
        }
        running = Running(deployment, programs, session=SESSION)
        try:
            until(
                lambda: all(sign.exists() for sign in signs.values()),  # noqa: B023
                60,
                deployment.told,
            )
            ended = running.end(number)
        finally:
            running.kill()
        assert dict.fromkeys(states, True) == {
            name: in_time for name, (_, in_time) in ended.items()
        }


def test_a_round_and_a_taking_up_that_are_cut_off_are_begun_again(
    deployment: Deployment, tmp_path: Path
) -> None:
    """An interrupted round leaves only its draw, and the next learner runs it again."""
    score = ("train", "score", "--idle", "1")
    first = Running(deployment, {"score": score, "learn": PROGRAMS["learn"]}, ENDLESS, SESSION)
    try:
        until(
            lambda: sql(deployment, "SELECT 1 FROM draws WHERE version = 1 LIMIT 1"),
            120,
            deployment.told,
        )
        ended = first.end()
    finally:
        first.kill()
    assert {"score": True, "learn": True} == {name: in_time for name, (_, in_time) in ended.items()}
    assert [] == sql(deployment, "SELECT version FROM rounds FINAL")
    assert [{"version": 0}] == sql(deployment, "SELECT version FROM versions FINAL")
    sign = tmp_path / "took up"
    taking_up = hanging(score, "mainstem.scoring", "ScoringWorker.mark_drawn", sign)
    second = Running(deployment, {"score": taking_up, "learn": PROGRAMS["learn"]}, SHORT, SESSION)
    try:
        until(sign.exists, 120, deployment.told)
        ended = second.end()
    finally:
        second.kill()
    assert {"score": True, "learn": True} == {name: in_time for name, (_, in_time) in ended.items()}
    settle(deployment)
    assert [{"version": 1}] == sql(deployment, "SELECT version FROM rounds FINAL ORDER BY version")


def test_programs_end_while_their_groups_settle_anew(deployment: Deployment) -> None:
    """Programs end in time while their groups wait for a member that hangs, and lose nothing."""
    broker = Broker.parse(deployment.events)
    running = Running(deployment, FROZEN, session=SESSION)
    second = Running(deployment, {"join-2": PROGRAMS["join"]}, session=60)
    groups = {
        "join": Group(broker, "join", "events", protocol="faust"),
        "sink": Group(broker, "sink", "ledger"),
        "score": Group(broker, "score", "samples"),
        "learn": Group(broker, "learn", "versions"),
    }
    try:
        until(lambda: running.ready() and second.ready(), 120, deployment.told)
        second.processes["join-2"].pause()
        for name, group in groups.items():
            group.join()
            if name != "join":
                until(group.is_let_in, 100, lambda: str(group.found()))  # noqa: B023
                group.join()
        until(
            # a list, so that each group polls
            lambda: all([group.settles_anew() for group in groups.values()]),  # noqa: C419
            30,
        )
        ended = running.end()
        left = {name: group.found()["group_state"] for name, group in groups.items()}
        second.processes["join-2"].resume()
        ended |= second.end()
    finally:
        running.kill()
        second.kill()
        for group in groups.values():
            group.leave()
    assert {**IN_TIME, "join-2": True} == {name: in_time for name, (_, in_time) in ended.items()}
    assert dict.fromkeys(groups, "PreparingRebalance") == left
    settle(deployment)
