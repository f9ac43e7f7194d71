"""A home from Python: replay a log, ask the history, explain a sample and score texts.

Nothing stays open between two calls, so the command line can use the same home at any time. Answers
of several rows are pandas data frames.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from mainstem.data import demo_log
from mainstem.errors import LogError, SettingError
from mainstem.settings import Settings
from mainstem.settings.urls import url_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from mainstem.store.named import Query
    from mainstem.versions import Versions

__all__ = ["Home", "demo_log", "open_home"]


def open_home(
    folder: str | Path = "mainstem-home",
    *,
    settings: Settings | Mapping[str, Any] | None = None,
    store: str | None = None,
    versions: str | None = None,
) -> "Home":
    """A home, or the history and the versions of a deployment, to be used from Python.

    Nothing is read or made yet: the first replay makes a home that is not there.

    Args:
        folder: Folder of the home.
        settings: Settings of a new home, such as `{"learning.round_every": 1_000}`. None takes them
            from `mainstem.toml` and the environment, as the command line does; a home that exists
            goes on with the settings that it was made with.
        store: URL of a deployment's history, `clickhouse://user:password@host:port/database`. It is
            asked instead of the home.
        versions: URL of a deployment's versions, such as `s3://bucket/folder`. None means those in
            the home.

    Raises:
        SettingError: A setting has an unknown name or a value that it cannot have.

    Example:
        >>> home = open_home("shop", settings={"learning.round_every": 1_000})
        >>> home.folder.name, home.settings.learning.round_every
        ('shop', 1000)
    """
    given = Settings.of(settings) if isinstance(settings, Mapping) else settings
    return Home(Path(folder).absolute(), given, store, versions)


class Home:
    """A home as `open_home` gives it.

    Attributes:
        folder: Where it is.

    Example:
        >>> import gzip, tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with gzip.open(demo_log()) as lines:
        ...     _ = (folder / "log.jsonl").write_bytes(b"".join(lines.readlines()[:600]))
        >>> home = open_home(folder / "shop")
        >>> report = home.replay(folder / "log.jsonl")
        >>> report["samples"], report["ledger"]["balance"]
        (683, 0)
        >>> home.sql("SELECT count() AS samples FROM samples_now")["samples"].tolist()
        [683]
        >>> home.sets()[["standing", "reason", "samples"]].to_numpy().tolist()
        [['edge', 'too few canaries', 641]]
        >>> home.versions(slices=True)["slice"].tolist()[0]
        'later'
        >>> edge = home.samples("edge", limit=2)
        >>> home.explain(edge["sample_id"][0])["reason"]
        'too few canaries'
        >>> scored = home.score([("red cup", "A CUP | price 1 to 2")], labels=["yes"])
        >>> list(scored.columns)
        ['context', 'item', 'no', 'yes', 'loss', 'margin', 'norm', 'alignment']
    """

    def __init__(
        self, folder: Path, settings: Settings | None, store: str | None, versions: str | None
    ) -> None:
        self.folder = folder
        self._settings, self._store, self._versions = settings, store, versions

    def __repr__(self) -> str:
        if self._store is None:
            return f"<mainstem home {str(self.folder)!r}>"
        return f"<mainstem deployment at {urlsplit(self._store).hostname}>"  # not its password

    @property
    def settings(self) -> Settings:
        """The settings that the home was made with, or that a new home will be made with.

        Raises:
            HomeError: The home was made with other settings than `open_home` was given.
        """
        from mainstem.embedded.again import settings_of
        from mainstem.embedded.recorded import record

        if self._store is None and record(self.folder):
            return settings_of(self.folder, os.environ, self._settings)
        return self._settings or Settings.read(os.environ)

    def replay(
        self,
        log: str | Path,
        *,
        from_start: bool = False,
        append: bool = False,
        as_of: str | None = None,
        learn: bool = True,
        say: Callable[[str], None] | None = None,
    ) -> dict[str, Any]:
        """Replay an event log: join, score, judge and learn.

        A replay that was interrupted goes on from its last checkpoint.

        Args:
            log: Path of the log.
            from_start: Forget what the home holds, and begin again.
            append: The log is the next file of the rotated log that the home has read.
            as_of: Stop before the first event later than this moment of event time, such as
                `2011-01-15` (its first moment, in UTC) or `2011-01-15T08:30Z`.
            learn: False scores and judges, but trains nothing.
            say: Receives a line of progress now and then; `print` shows them.

        Returns:
            The report that `mainstem replay --json` prints: `samples`, `ledger`, `sets`, `rounds`,
            `versions` with the AUC of each on the last part of the log, `baselines`, `hash` and
            more.

        Raises:
            LogError: The log cannot be read, or no sample comes of it.
            HomeError: The home is in use, or was made with other settings or from another log.
            SettingError: `as_of` is no moment, or `open_home` was given a `store`.
        """
        from mainstem.answers.progress import Progress
        from mainstem.answers.report import report_of, why_empty
        from mainstem.bootstrap import threads
        from mainstem.embedded.again import replay_settings
        from mainstem.embedded.asked import Asked
        from mainstem.events.moments import moment
        from mainstem.opening import open_loop

        if self._store is not None:
            msg = "a replay needs a folder, not store=; a deployment has `mainstem stream replay`"
            raise SettingError(msg)
        watcher = Progress(say)
        settings = self._settings or replay_settings(self.folder, os.environ, from_start=from_start)
        threads(self.folder, begins_again=from_start)
        until = None if as_of is None else moment(as_of)
        asked = Asked(from_start=from_start, append=append, as_of=until, learn=learn)
        with open_loop(str(log), self.folder, settings, watcher, asked, say=watcher.say) as loop:
            loop.run()
            report = report_of(loop, str(self.folder))
            if lack := why_empty(loop, report):
                msg = f"no sample was made of {str(log)!r}: {lack}"
                raise LogError(msg)
        return report

    def sql(self, query: str, /, **parameters: Any) -> "DataFrame":
        """Ask the history in SQL, also while a replay has the home open.

        Args:
            query: A query of ClickHouse. `{name:Type}` stands for a parameter.
            parameters: Values of the parameters, by name. Names that it lacks are ignored.

        Returns:
            The rows, with the columns' names.

        Raises:
            StoreError: The query is wrong, or would write.
            HomeError: There is no history yet.
        """
        from pandas import DataFrame

        [(columns, rows)] = self._answers([query], parameters)
        return DataFrame.from_records(rows, columns=list(columns))

    def sets(self) -> "DataFrame":
        """How many samples are core, edge and noise, by reason, with the means of their figures."""
        from mainstem.answers.item_now import bounds_of
        from mainstem.store.score_ages import SETS_TOLD

        return self.sql(SETS_TOLD.sql, **bounds_of(self.settings.learning))

    def samples(self, members_of: str = "core", *, limit: int = 20) -> "DataFrame":
        """The samples of one set, the most important first, with their texts.

        Args:
            members_of: `core`, `edge` or `noise`, or one part of noise: `contradictory` or `spent`.
            limit: Rows at most.

        Raises:
            ValueError: There is no such set, or `limit` is no number of rows.
        """
        from mainstem.answers.members import check_members
        from mainstem.store.texts import MEMBERS

        check_members(members_of, limit)
        names = self.settings.objectives.label_names
        found = self.sql(MEMBERS.sql, members_of=members_of, most=limit)
        return found.assign(label=[names[label] for label in found["label"]])

    def versions(self, *, slices: bool = False) -> "DataFrame":
        """The versions, why they were promoted, their AUC and cost; or all measures by slice."""
        from mainstem.store.costs import VERSIONS_AND_COSTS
        from mainstem.store.evaluations import EVALUATIONS

        return self.sql(EVALUATIONS.sql if slices else VERSIONS_AND_COSTS)

    def explain(self, sample: str | UUID, *, log: str | Path | None = None) -> dict[str, Any]:
        """The story of one sample: why it stands where it stands.

        Args:
            sample: Id of the sample, or its first digits, eight or more.
            log: Finds the events that made the sample in this log, too.

        Returns:
            What `mainstem explain --json` prints: `standing`, `reason` and `meaning`, the
            `question` with its texts, `labels`, `visits`, `verdicts`, the `rounds` that drew the
            sample, `score` and `item_now` for the age of its score and of its text, and `teaching`
            for the samples that teach the same and the opposite.

        Raises:
            StoreError: No sample has this id, or several begin with these digits.
            LogError: The log does not hold the sample's question.
        """
        from mainstem.answers.explain import events_of, story_of
        from mainstem.answers.which import sample_id_of

        settings = self.settings
        story = story_of(sample_id_of(str(sample), self._typed), settings, self._typed)
        story["events"] = events_of(Path(log), story["question"], settings) if log else None
        return story

    def report(self) -> str:
        """The page that `mainstem report` writes: one HTML document, which loads nothing."""
        from mainstem.answers.page.page import page_about

        versions = None if self._store and not self._versions else self._at()
        return page_about(self.folder, self._store, self.settings, self._typed, versions)

    def score(
        self,
        pairs: Sequence[tuple[str, str]],
        labels: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> "DataFrame":
        """What a version says of text pairs, and, where labels are given, how they would move it.

        Args:
            pairs: N pairs of a context (a query, or what the shopper looked at before) and an
                item's text.
            labels: The class of each pair by name, such as `yes`. None asks for probabilities
                alone.
            version: Number of the version; None takes the newest.

        Returns:
            N rows with `context`, `item` and the probability of each class under its name; with
            labels also `loss`, `margin`, `norm` (the length of the gradient response) and
            `alignment`. The probabilities are calibrated if the version has a calibration.

        Raises:
            HomeError: There is no home.
            VersionError: There is no such version.
            ValueError: The labels are not as many as the pairs, or one is the name of no class.
        """
        from mainstem.answers.scores import scores_of
        from mainstem.embedded.recorded import no_home, record

        if self._versions is None and not record(self.folder):
            raise no_home(self.folder)
        return scores_of(pairs, labels, self._at(), version, self.settings)

    def _at(self) -> "Versions":
        from mainstem.bootstrap import open_versions

        return open_versions(self._versions or url_of("file", self.folder.resolve() / "versions"))

    def _answers(self, queries: Sequence[str], parameters: Mapping[str, Any]) -> list[Any]:
        from mainstem.asking import answers

        return answers(self.folder, self._store, queries, **parameters)

    def _typed(self, *queries: "Query[Any]", **parameters: Any) -> list[list[Any]]:
        found = self._answers([query.sql for query in queries], parameters)
        return [query.typed(rows) for query, (_, rows) in zip(queries, found, strict=True)]
