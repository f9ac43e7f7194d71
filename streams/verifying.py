"""`mainstem stream verify`: the deployed result beside an embedded run of the same log, from the same version 0.

With the schedule that the deployment used the embedded run repeats it, with the deployment's versions: then every response,
every judgement and every standing is compared. Without it, learning aside, the last standings are.

The embedded run is the command `mainstem replay`, with `--schedule` or with `--no-learn`, in a process of its own: the very
code that users run.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from mainstem.answers.fingerprint import deployed_hash, deployed_hash_0_1
from mainstem.bootstrap import open_schedule, open_store
from mainstem.errors import LogError, VersionError
from mainstem.printable import in_json
from mainstem.settings.addresses import NAMES, Addresses
from mainstem.settings.urls import files_at, url_of
from mainstem.store import Store
from mainstem.store.compared import (
    ALL_JUDGEMENTS,
    ALL_RESPONSES,
    FIRST_RESPONSES,
    NEWEST_STANDINGS,
    MadeJudgement,
    MadeResponse,
    NewestStanding,
    has_learnt,
    met_later,
)

__all__ = ["Comparison", "verify"]

_ELSEWHERE: Final = NAMES - {
    "MAINSTEM_PSEUDONYM_KEY",
    "MAINSTEM_SETTINGS",
}  # the embedded replay has its own places
_RESPONSES_AGREE: Final = 1e-4
_NEAR: Final = 1e-3


@dataclass(frozen=True)
class Comparison:
    """What differs.

    Attributes:
        hash, embedded_hash: of samples and ledger, deployed and embedded.
        hash_0_1, embedded_hash_0_1: the same over the fields that samples had in 0.1.
        versions: whose responses were compared: `all`, under a schedule, or `version 0`.
        responses: how many were compared.
        worst: largest relative difference of a norm, a loss or a margin, and largest difference of an alignment; infinite
            where one side has an alignment and the other has not. Sketches are kept less exactly, and not compared.
        missing: responses that one side has and the other has not; of version 0, but for what came later.
        standings: how many were compared; 0 where versions after the first have scored: then there is nothing to compare.
        near: samples that stand elsewhere within 1e-3 of a threshold, as text.
        other: samples that stand elsewhere, for no such reason.
        judgements: how many were compared, which is done under a schedule only.
        judged_otherwise: those that differ, as text.
    """

    hash: str
    embedded_hash: str
    hash_0_1: str
    embedded_hash_0_1: str
    versions: str
    responses: int
    worst: float
    missing: int
    standings: int
    near: list[str]
    other: list[str]
    judgements: int
    judged_otherwise: list[str]

    @property
    def agrees(self) -> bool:
        """Whether the promise is kept."""
        same = (
            self.hash == self.embedded_hash and self.missing == 0 and self.worst <= _RESPONSES_AGREE
        )
        return same and not self.other and not self.judged_otherwise

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            print(in_json({**asdict(self), "agrees": self.agrees}))
            return
        print(f"hash      {self.hash} deployed\n          {self.embedded_hash} embedded")
        apart = f"{self.worst:.1e} apart at most, {self.missing} missing"
        print(f"responses {self.responses:,} of {self.versions} compared, {apart}")
        frozen = "versions after the first have scored: not compared" if not self.standings else ""
        print(f"standings {frozen or f'{self.standings:,} compared, {len(self.other)} differ'}")
        if self.judgements:
            print(
                f"judged    {self.judgements:,} times compared, {len(self.judged_otherwise)} differ"
            )
        for line in [*self.near, *self.other, *self.judged_otherwise]:
            print(f"          {line}")
        print("the same" if self.agrees else "NOT THE SAME")


def verify(log: Path, addresses: Addresses, schedule: str | None = None) -> Comparison:
    """Run the log embedded, in a temporary home, and compare.

    Args:
        log: that was replayed into Kafka.
        addresses: of history and versions.
        schedule: where the schedule is that the deployment used, which is repeated; None: the embedded run has its own.

    Raises:
        VersionError: if there is no deployed version 0 yet.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-verify-") as folder,
        open_store(addresses.store, make=False) as deployed,
    ):
        home = Path(folder, "home")
        if schedule is None:
            _copy_first_version(addresses.versions, home)
            report = _replay(log, home, "--no-learn")
        else:
            report = _replay(
                log,
                home,
                "--schedule",
                _kept(schedule, Path(folder)),
                "--versions",
                addresses.versions,
            )
        with open_store(url_of("chdb", home / "history"), make=False) as embedded:
            responses = list(
                _first_responses(deployed, embedded)
                if schedule is None
                else _responses(deployed, embedded)
            )
            comparable = schedule is not None or not has_learnt(deployed)
            near, other, standings = _standings(deployed, embedded) if comparable else ([], [], 0)
            judged_otherwise, judgements = (
                ([], 0) if schedule is None else _judgements(deployed, embedded)
            )
        return Comparison(
            hash=deployed_hash(deployed),
            embedded_hash=report["hash"],
            hash_0_1=deployed_hash_0_1(deployed),
            embedded_hash_0_1=report["hash_0_1"],
            versions="version 0" if schedule is None else "all versions",
            responses=len(responses),
            worst=max((worst for worst in responses if worst is not None), default=0.0),
            missing=responses.count(None),
            standings=standings,
            near=near,
            other=other,
            judgements=judgements,
            judged_otherwise=judged_otherwise,
        )


def _kept(schedule: str, folder: Path) -> str:
    """A file of the schedule: a URL may hold a password, which is not shown on a command line."""
    path = folder / "schedule.jsonl"
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in open_schedule(schedule).lines())
    return str(path)


def _copy_first_version(url: str, home: Path) -> None:
    files, root = files_at(url)
    there = files.ls(root, detail=False) if files.exists(root) else []
    folders = sorted(
        path
        for path in there
        if Path(path).name.startswith("000000") and files.exists(f"{path}/manifest.json")
    )
    if not folders:
        msg = f"there is no version 0 under {url}; the learner makes it: `mainstem train learn --frozen`"
        raise VersionError(msg)
    to = home / "versions" / "000000"
    to.mkdir(parents=True)
    for path in files.find(folders[-1]):
        (to / Path(path).name).write_bytes(files.cat_file(path))


def _replay(log: Path, home: Path, *how: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    command = [
        sys.executable,
        "-m",
        "mainstem.cli",
        "replay",
        str(log),
        "--home",
        str(home),
        *how,
        "--json",
    ]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own command
    if done.returncode:
        msg = f"the embedded replay of {str(log)!r} failed, as it says above; there is nothing to compare with"
        raise LogError(msg)
    return json.loads(done.stdout.splitlines()[-1])


def _first_responses(deployed: Store, embedded: Store) -> Iterator[float | None]:
    """Relative difference of each response of version 0; what came when a later version was in use has none there."""
    ours = {row[:3]: row[3:] for row in FIRST_RESPONSES.stream(embedded)}
    yield from _differences(FIRST_RESPONSES.stream(deployed), ours)
    later = met_later(deployed) if ours else set()
    yield from (
        None for sample_id, label_version, _ in ours if (sample_id, label_version) not in later
    )


def _responses(deployed: Store, embedded: Store) -> Iterator[float | None]:
    """Relative difference of each response; None where one side lacks it."""
    ours = {row[:3]: row[3:] for row in ALL_RESPONSES.stream(embedded)}
    yield from _differences(ALL_RESPONSES.stream(deployed), ours)
    yield from (None for _ in ours)


def _differences(deployed: Iterator[MadeResponse], ours: dict[Any, Any]) -> Iterator[float | None]:
    """Relative difference of each deployed response to ours, which is taken out; None where there is none."""
    for sample_id, label_version, version, *theirs in deployed:
        mine = ours.pop((sample_id, label_version, version), None)
        yield None if mine is None else max(_apart(a, b) for a, b in zip(mine, theirs, strict=True))


def _apart(one: float | None, two: float | None) -> float:
    if one is None or two is None:
        return 0.0 if one is two else math.inf
    return abs(one - two) / max(abs(one), abs(two), 1.0)


def _judgements(deployed: Store, embedded: Store) -> tuple[list[str], int]:
    """Judgements that differ in anything, or that one side lacks; and how many were compared."""
    ours, theirs = _judged(embedded), _judged(deployed)
    differ = []
    for partition, judgement in sorted(ours.keys() | theirs.keys()):
        mine, there = ours.get((partition, judgement)), theirs.get((partition, judgement))
        if mine != there:
            told = ", ".join(
                f"{side} {', '.join(f'{name} {value}' for name, value in row._asdict().items()) if row else 'none'}"
                for side, row in (("embedded", mine), ("deployed", there))
            )
            differ.append(f"partition {partition} at {judgement}: {told}")
    return differ, len(ours.keys() | theirs.keys())


def _judged(store: Store) -> dict[tuple[int, int], MadeJudgement]:
    return {(row.partition, row.judgement): row for row in ALL_JUDGEMENTS.stream(store)}


def _standings(deployed: Store, embedded: Store) -> tuple[list[str], list[str], int]:
    """Samples that stand elsewhere: those near a threshold, and the others; and how many were compared."""
    ours, theirs = _standing_of(embedded), _standing_of(deployed)
    near: list[str] = []
    other: list[str] = []
    for sample_id in sorted(ours.keys() | theirs.keys(), key=str):
        mine, there = ours.get(sample_id), theirs.get(sample_id)
        if mine and there and (mine.standing, mine.reason) == (there.standing, there.reason):
            continue
        text = f"{sample_id}: embedded {_told(mine)}, deployed {_told(there)}"
        close = (
            mine
            and there
            and _close(mine.p_value, there.p_value)
            and _close(mine.importance, there.importance)
        )
        (near if close else other).append(text)
    return near, other, len(ours.keys() | theirs.keys())


def _standing_of(store: Store) -> dict[UUID, NewestStanding]:
    return {row.sample_id: row for row in NEWEST_STANDINGS.stream(store)}


def _close(one: float | None, two: float | None) -> bool:
    return (
        one is two
        if one is None or two is None
        else abs(one - two) <= _NEAR * max(abs(one), abs(two), 1.0)
    )


def _told(row: NewestStanding | None) -> str:
    return (
        f"{row.standing} ({row.reason}), p-value {row.p_value}, importance {row.importance:.4f}"
        if row
        else "none"
    )
