"""Repeat the order and the schedule of a deployment in a home.

The whole log is joined first, and each sample gets the position that it had in the deployment. Then
each partition is scored and judged again, turn by turn, with the versions of the deployment. No
round draws or trains.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from mainstem.embedded.arrivals import Arrivals
from mainstem.embedded.home import HomeFolder
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
    """Where samples enter a history at recorded positions; they are scored later.

    Args:
        store: the history.
        labels: assigns samples to parts, and changes or adds labels.
        schedule: schedule of the replay, which does not advance while samples enter.
        settings: settings with the lag of features.
        recorded: schedule of the deployment, with the positions.
    """

    def __init__(
        self,
        store: Store,
        labels: Labels,
        schedule: Schedule,
        settings: Settings,
        recorded: RecordedSchedule,
    ) -> None:
        super().__init__(store, labels, schedule, settings)
        self._places = {
            (one.sample_id, one.label_version): (one.partition, one.position)
            for one in recorded.accepted
        }
        self._laid: set[tuple[int, int]] = set()

    def take_in(
        self,
        samples: Sequence[Sample],
        accepted: Mapping[int, Accepted],  # noqa: ARG002 - the recorded schedule decides
        left: Mapping[int, int],  # noqa: ARG002 - likewise
        version: int,
    ) -> list[PlacedSample]:
        """Write samples at their recorded positions.

        Args:
            samples: samples from the joiners, in order.
            accepted: not used.
            left: not used.
            version: number of the version in use.

        Returns:
            No samples, because none is to be scored now.

        Raises:
            LogError: if a sample has no recorded position.
        """
        at = [self._place(sample) for sample in samples]
        self._laid.update(at)
        self._write([(sample, *place) for sample, place in zip(samples, at, strict=True)], version)
        return []

    def check_whole(self) -> None:
        """Refuse a log that does not give every sample of the schedule.

        Raises:
            LogError: if a sample is missing.
        """
        if missing := len(self._places) - len(self._laid):
            msg = (
                f"the log gives no sample for {missing:,} of the {len(self._places):,} positions "
                "of the schedule; "
                "give the whole log that was replayed into that deployment, with its settings"
            )
            raise LogError(msg)

    def _place(self, sample: Sample) -> tuple[int, int]:
        if found := self._places.get((sample.sample_id, sample.label_version)):
            return found
        msg = (
            f"sample {sample.sample_id} of the log, at label version {sample.label_version}, "
            "is not in the schedule; give the log that was replayed into that deployment, "
            "with its settings, once the deployment has scored all of it"
        )
        raise LogError(msg)


class Repetition:
    """Replaces scoring, judging and learning in a loop by those of a recorded schedule.

    Args:
        recorded: order and schedule of the deployment.
        versions: versions of the home, which must hold every version that scored.
    """

    def __init__(self, recorded: RecordedSchedule, versions: Versions) -> None:
        self._recorded, self._versions = recorded, versions
        self._laid_out: LaidOut | None = None

    @property
    def rounds(self) -> int:
        """The highest number of a round or version in the schedule."""
        return max([0, *self._recorded.versions, *(one.version for one in self._recorded.rounds)])

    def arrivals(
        self, store: Store, labels: Labels, schedule: Schedule, settings: Settings
    ) -> Arrivals:
        """Make the place where joined samples enter the history."""
        self._laid_out = LaidOut(store, labels, schedule, settings, self._recorded)
        return self._laid_out

    def run(self, store: Store, settings: Settings, worker: ScoringWorker) -> Iterator[Repeated]:
        """Repeat the schedule over the samples that have entered the history.

        Args:
            store: the history.
            settings: settings of the deployment.
            worker: worker of the loop, which receives the rows of each partition.

        Yields:
            Each partition, once it is done.

        Raises:
            LogError: if the log did not give every sample of the schedule.
        """
        if self._laid_out:
            self._laid_out.check_whole()
        write_rounds_again(store, self._recorded.rounds, self._recorded.draws)
        for partition, end in sorted(self._recorded.ends.items()):
            load = partial(self._load, settings)
            one = Repeated(store, settings, load, partition, trusted=worker.trusted)
            one.run([turn for turn in self._recorded.turns if turn.partition == partition], end)
            worker.rows[partition] = one.worker.rows[partition]
            worker.held[partition] = one.worker.held[partition]
            worker.left[partition] = one.worker.left[partition]
            its = one.worker
            worker.use(its.version, its.active, its.scale, its.kinds, is_measured=its.is_measured)
            yield one

    def _load(self, settings: Settings, version: int) -> Loaded:
        manifest = self._versions.manifest(version)
        scale = manifest.scale
        known = scale if scale is not None else dict(self._recorded.scales).get(version)
        active = load_active(self._versions, version, settings)
        return active, known, manifest.kinds, scale is not None


def copy_versions(
    recorded: RecordedSchedule, deployed: Versions, home: HomeFolder, versions: Versions
) -> None:
    """Copy the versions that a schedule names from a deployment into a home.

    Args:
        recorded: schedule of the deployment.
        deployed: versions of the deployment.
        home: home in which the schedule is repeated.
        versions: versions of the home.

    Raises:
        HomeError: if the home holds anything but a repetition of this schedule.
        VersionError: if the deployment lacks a version.
    """
    if home.is_begun and record(home.folder).get("schedule") != recorded.digest:
        msg = (
            f"{str(home.folder)!r} holds something else than this schedule repeated; "
            "give a new --home, or --from-start"
        )
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
