"""`mainstem stream verify` compares the deployed results with an embedded run of the same log.

Both start from the same version 0. If the deployment's schedule is given, the embedded run repeats
it with the deployment's versions, and every response, judgement and standing is compared. Without a
schedule, the embedded run does not learn. Then responses of version 0 are compared, and the last
standings if no later version has scored.

The embedded run is the command `mainstem replay`, with `--schedule` or with `--no-learn`, in a
process of its own. So it is the code that users run.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from mainstem.answers.fingerprint import deployed_hash, deployed_hash_0_1
from mainstem.bootstrap import open_schedule, open_store
from mainstem.errors import LogError, VersionError
from mainstem.settings.addresses import NAMES, Addresses
from mainstem.settings.urls import files_at, url_of
from mainstem.store import Store
from mainstem.store.compared import (
    ALL_FEATURES,
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
from mainstem.store.counts import counts_hash

from .comparison import Comparison

__all__ = ["verify"]

# variables that name places of the deployment, which the embedded replay must not use
_ELSEWHERE: Final = NAMES - {"MAINSTEM_PSEUDONYM_KEY", "MAINSTEM_SETTINGS"}
_NEAR: Final = 1e-3  # relative difference of figures that count as equal near a threshold


def verify(log: Path, addresses: Addresses, schedule: str | None = None) -> Comparison:
    """Run a log embedded, in a temporary home, and compare the results with a deployment's.

    Args:
        log: event log that was replayed into Kafka.
        addresses: where the deployment's history and versions are.
        schedule: schedule to repeat: URL of a history or path of a file. None lets the embedded run
            use its own schedule, and does not learn.

    Raises:
        VersionError: if the deployment has no version 0 yet.
        LogError: if the embedded run fails.
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
            file = _kept(schedule, Path(folder))
            report = _replay(log, home, "--schedule", file, "--versions", addresses.versions)
        with open_store(url_of("chdb", home / "history"), make=False) as embedded:
            near: list[str] = []
            other: list[str] = []
            judged_otherwise: list[str] = []
            standings = judgements = 0
            if schedule is None:
                responses = list(_first_responses(deployed, embedded))
            else:
                responses = list(_responses(deployed, embedded))
                judged_otherwise, judgements = _judgements(deployed, embedded)
            if schedule is not None or not has_learnt(deployed):
                near, other, standings = _standings(deployed, embedded)
            features = list(_features(deployed, embedded))
        return Comparison(
            hash=deployed_hash(deployed),
            embedded_hash=report["hash"],
            hash_0_1=deployed_hash_0_1(deployed),
            embedded_hash_0_1=report["hash_0_1"],
            counts_hash=counts_hash(deployed),
            embedded_counts_hash=report["counts_hash"],
            versions="version 0" if schedule is None else "all versions",
            responses=len(responses),
            worst=max((worst for worst in responses if worst is not None), default=0.0),
            missing=responses.count(None),
            features=len(features),
            features_apart=max((apart for apart in features if apart is not None), default=0.0),
            features_missing=features.count(None),
            standings=standings,
            near=near,
            other=other,
            judgements=judgements,
            judged_otherwise=judged_otherwise,
        )


def _kept(schedule: str, folder: Path) -> str:
    """Write the schedule to a file, because a URL may hold a password that a command line shows."""
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
        msg = f"there is no version 0 under {url}; make it with `mainstem train learn --frozen`"
        raise VersionError(msg)
    to = home / "versions" / "000000"
    to.mkdir(parents=True)
    for path in files.find(folders[-1]):
        (to / Path(path).name).write_bytes(files.cat_file(path))


def _replay(log: Path, home: Path, *how: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    words = ["replay", str(log), "--home", str(home), *how, "--json"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "mainstem.cli", *words],
        env=environment,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        msg = (
            f"the embedded replay of {str(log)!r} failed for the reason printed above; "
            "there is nothing to compare"
        )
        raise LogError(msg)
    return json.loads(done.stdout.splitlines()[-1])


def _first_responses(deployed: Store, embedded: Store) -> Iterator[float | None]:
    """Yield the relative difference of each response of version 0; None if one side lacks it.

    Samples that were accepted while a later version was in use may lack a deployed response.
    """
    ours = {row[:3]: row[3:] for row in FIRST_RESPONSES.stream(embedded)}
    yield from _differences(FIRST_RESPONSES.stream(deployed), ours)
    later = met_later(deployed) if ours else set()
    yield from (None for sample in ours if sample[:2] not in later)


def _responses(deployed: Store, embedded: Store) -> Iterator[float | None]:
    """Yield the relative difference of each response; None if one side lacks it."""
    ours = {row[:3]: row[3:] for row in ALL_RESPONSES.stream(embedded)}
    yield from _differences(ALL_RESPONSES.stream(deployed), ours)
    yield from (None for _ in ours)


def _features(deployed: Store, embedded: Store) -> Iterator[float | None]:
    """Yield the largest difference of each sample's features; None if one side lacks them."""
    ours = {row.sample_id: row for row in ALL_FEATURES.stream(embedded)}
    for theirs in ALL_FEATURES.stream(deployed):
        mine = ours.pop(theirs.sample_id, None)
        if mine is None:
            yield None
        elif mine.names != theirs.names:
            yield math.inf
        else:
            yield max(abs(a - b) for a, b in zip(mine.values, theirs.values, strict=True))
    yield from (None for _ in ours)


def _differences(deployed: Iterator[MadeResponse], ours: dict[Any, Any]) -> Iterator[float | None]:
    """Yield how far each deployed response is from ours, and remove ours; None if we lack it."""
    for sample_id, label_version, version, *theirs in deployed:
        mine = ours.pop((sample_id, label_version, version), None)
        yield None if mine is None else max(_apart(a, b) for a, b in zip(mine, theirs, strict=True))


def _apart(one: float | None, two: float | None) -> float:
    if one is None or two is None:
        return 0.0 if one is two else math.inf
    return abs(one - two) / max(abs(one), abs(two), 1.0)


def _judgements(deployed: Store, embedded: Store) -> tuple[list[str], int]:
    """Judgements that differ or that one side lacks, one line each; and how many were compared."""
    ours, theirs = _judged(embedded), _judged(deployed)
    differ = []
    for place in sorted(ours.keys() | theirs.keys()):
        mine, there = ours.get(place), theirs.get(place)
        if mine != there:
            sides = f"embedded {_fields_of(mine)}, deployed {_fields_of(there)}"
            differ.append(f"partition {place[0]} at {place[1]}: {sides}")
    return differ, len(ours.keys() | theirs.keys())


def _fields_of(row: MadeJudgement | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in row._asdict().items()) if row else "none"


def _judged(store: Store) -> dict[tuple[int, int], MadeJudgement]:
    return {(row.partition, row.judgement): row for row in ALL_JUDGEMENTS.stream(store)}


def _standings(deployed: Store, embedded: Store) -> tuple[list[str], list[str], int]:
    """Samples whose standings differ, near a threshold or otherwise; and how many were compared."""
    ours, theirs = _standing_of(embedded), _standing_of(deployed)
    near: list[str] = []
    other: list[str] = []
    for sample_id in sorted(ours.keys() | theirs.keys(), key=str):
        mine, there = ours.get(sample_id), theirs.get(sample_id)
        if mine and there and (mine.standing, mine.reason) == (there.standing, there.reason):
            continue
        text = f"{sample_id}: embedded {_told(mine)}, deployed {_told(there)}"
        close = mine and there and _are_close(mine, there)
        (near if close else other).append(text)
    return near, other, len(ours.keys() | theirs.keys())


def _standing_of(store: Store) -> dict[UUID, NewestStanding]:
    return {row.sample_id: row for row in NEWEST_STANDINGS.stream(store)}


def _are_close(one: NewestStanding, two: NewestStanding) -> bool:
    return _close(one.p_value, two.p_value) and _close(one.importance, two.importance)


def _close(one: float | None, two: float | None) -> bool:
    if one is None or two is None:
        return one is two
    return abs(one - two) <= _NEAR * max(abs(one), abs(two), 1.0)


def _told(row: NewestStanding | None) -> str:
    if row is None:
        return "none"
    figures = f"p-value {row.p_value}, importance {row.importance:.4f}"
    return f"{row.standing} ({row.reason}), {figures}"
