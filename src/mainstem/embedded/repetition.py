"""A deployment's order and schedule, repeated in a home: its samples at its positions, its versions, its turns.

The whole log is joined first, and each sample is laid at the position that the deployment gave it. Then partition by
partition is gone through again; nothing is drawn and nothing is trained.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from mainstem.embedded.arrivals import Arrivals
from mainstem.embedded.home import Home
from mainstem.embedded.labels import Labels
from mainstem.embedded.recorded import record
from mainstem.errors import HomeError, LogError, VersionError
from mainstem.join import PlacedSample, Sample
from mainstem.scoring import Accepted, Schedule, ScoringWorker
from mainstem.scoring.repeating import Loaded, Repeated
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.recorded import write_rounds_again
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.versions import Versions, load_active

__all__ = ["LaidOut", "Repetition", "copy_versions"]


class LaidOut(Arrivals):
    """The door of a history that lays samples at recorded positions; none of them is scored on its way in.

    Args:
        store: the history.
        labels: parts, and what happens to labels.
        schedule: how far the partitions have come; moved when the schedule is repeated.
        recorded: the positions.
    """

    def __init__(
        self, store: Store, labels: Labels, schedule: Schedule, recorded: RecordedSchedule
    ) -> None:
        super().__init__(store, labels, schedule)
        self._places = {
            (one.sample_id, one.label_version): (one.partition, one.position)
            for one in recorded.accepted
        }
        self._laid: set[tuple[int, int]] = set()

    def take_in(
        self,
        samples: Sequence[Sample],
        accepted: Mapping[int, Accepted],  # noqa: ARG002 - what was accepted is recorded
        left: Mapping[int, int],  # noqa: ARG002
    ) -> list[PlacedSample]:
        """Write samples at their positions; gives none of them, for none is to be scored now.

        Raises:
            LogError: if one has no position.
        """
        at = [self._place(sample) for sample in samples]
        self._laid.update(at)
        self._write([(sample, *place) for sample, place in zip(samples, at, strict=True)])
        return []

    def check_whole(self) -> None:
        """Refuse a log that does not give every sample of the schedule.

        Raises:
            LogError: if it lacks one.
        """
        if missing := len(self._places) - len(self._laid):
            msg = (
                f"the log gives no sample for {missing:,} of the {len(self._places):,} positions of the schedule; "
                "give the whole log that was replayed into that deployment, with its settings"
            )
            raise LogError(msg)

    def _place(self, sample: Sample) -> tuple[int, int]:
        if found := self._places.get((sample.sample_id, sample.label_version)):
            return found
        msg = (
            f"sample {sample.sample_id} of the log, at label version {sample.label_version}, is not in the schedule; "
            "give the log that was replayed into that deployment, with its settings, once it is scored to its end"
        )
        raise LogError(msg)


class Repetition:
    """What takes the place of scoring, judging and learning in a loop.

    Args:
        recorded: the order and the schedule.
        versions: of the home, with all that scored.
    """

    def __init__(self, recorded: RecordedSchedule, versions: Versions) -> None:
        self._recorded, self._versions = recorded, versions
        self._laid_out: LaidOut | None = None

    @property
    def rounds(self) -> int:
        """The newest number that a round used up."""
        return max([0, *self._recorded.versions, *(one.version for one in self._recorded.rounds)])

    def arrivals(self, store: Store, labels: Labels, schedule: Schedule) -> Arrivals:
        """Where samples go as they are joined."""
        self._laid_out = LaidOut(store, labels, schedule, self._recorded)
        return self._laid_out

    def run(self, store: Store, settings: Settings, worker: ScoringWorker) -> Iterator[Repeated]:
        """Repeat the schedule over the samples that were laid out.

        Args:
            store: the history.
            settings: of the deployment.
            worker: gets the rows of each partition.

        Yields:
            Each partition, once it is done.
        """
        if self._laid_out:
            self._laid_out.check_whole()
        write_rounds_again(store, self._recorded.rounds, self._recorded.draws)
        for partition, end in sorted(self._recorded.ends.items()):
            one = Repeated(
                store, settings, partial(self._load, settings), partition, trusted=worker.trusted
            )
            one.run([turn for turn in self._recorded.turns if turn.partition == partition], end)
            worker.rows[partition], worker.left[partition] = (
                one.worker.rows[partition],
                one.worker.left[partition],
            )
            worker.use(one.worker.version, one.worker.active, one.worker.scale)
            yield one

    def _load(self, settings: Settings, version: int) -> Loaded:
        scale = self._versions.manifest(version).scale
        known = scale if scale is not None else dict(self._recorded.scales).get(version)
        return load_active(self._versions, version, settings), known


def copy_versions(
    recorded: RecordedSchedule, deployed: Versions, home: Home, versions: Versions
) -> None:
    """Give a home the versions of a deployment that a schedule names.

    Args:
        recorded: the schedule.
        deployed: the versions of the deployment.
        home: that the schedule shall be repeated in.
        versions: those of the home.

    Raises:
        HomeError: if the home holds something else than this schedule repeated.
        VersionError: if a version is not there.
    """
    if home.is_begun and record(home.folder).get("schedule") != recorded.digest:
        msg = f"{str(home.folder)!r} holds something else than this schedule repeated; give a new --home, or --from-start"
        raise HomeError(msg)
    there = set(deployed.numbers())
    if missing := [version for version in recorded.versions if version not in there]:
        msg = (
            f"version {missing[0]} of the schedule is not under {deployed.url}; "
            "give the versions of that deployment as --versions, or MAINSTEM_VERSIONS"
        )
        raise VersionError(msg)
    for version in recorded.versions:
        versions.take_over(deployed, version)
