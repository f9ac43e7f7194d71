"""`mainstem simulate -o LOG --truth FILE`: the event log of a simulated shop, and its truth."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mainstem.cli.log_writing import OutputOption
from mainstem.cli.whole_files import is_stdout, open_whole, same_file
from mainstem.errors import LogError, SettingError
from mainstem.printable import printable
from mainstem.simulate.shop import Shop, meaning

if TYPE_CHECKING:
    from collections import Counter

    from mainstem.simulate import Simulated

__all__ = ["simulate"]


def _of_shop(name: str) -> Any:
    return typer.Option(f"--{name.replace('_', '-')}", help=meaning(name), show_default=False)


Number: TypeAlias = int | None
Share: TypeAlias = float | None
Word: TypeAlias = str | None
Words: TypeAlias = list[str] | None


def simulate(
    output: OutputOption,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Also write the truth: what shoppers want, and which accident made which event."
        ),
    ] = None,
    *,
    events: Annotated[
        int | None, typer.Option(min=1, help="Admit no more shoppers after about this many lines.")
    ] = None,
    seed: Annotated[Number, _of_shop("seed")] = None,
    users: Annotated[Number, _of_shop("users")] = None,
    items: Annotated[Number, _of_shop("items")] = None,
    days: Annotated[Number, _of_shop("days")] = None,
    first_day: Annotated[Word, _of_shop("first_day")] = None,
    language: Annotated[Word, _of_shop("language")] = None,
    catalogue: Annotated[Word, _of_shop("catalogue")] = None,
    plain: Annotated[bool, typer.Option("--plain", help=meaning("plain"))] = False,
    sessions: Annotated[Share, _of_shop("sessions")] = None,
    page: Annotated[Number, _of_shop("page")] = None,
    fitting: Annotated[Share, _of_shop("fitting")] = None,
    position_bias: Annotated[Share, _of_shop("position_bias")] = None,
    dear_first: Annotated[Share, _of_shop("dear_first")] = None,
    views: Annotated[Share, _of_shop("views")] = None,
    taste: Annotated[Share, _of_shop("taste")] = None,
    drift: Annotated[Share, _of_shop("drift")] = None,
    thrift: Annotated[Share, _of_shop("thrift")] = None,
    season: Annotated[Share, _of_shop("season")] = None,
    new_category: Annotated[Number, _of_shop("new_category")] = None,
    changes: Annotated[Share, _of_shop("changes")] = None,
    returns: Annotated[Share, _of_shop("returns")] = None,
    misclicks: Annotated[Share, _of_shop("misclicks")] = None,
    bots: Annotated[Share, _of_shop("bots")] = None,
    tracking_bug: Annotated[Number, _of_shop("tracking_bug")] = None,
    turned_over: Annotated[Share, _of_shop("turned_over")] = None,
    wrong_yes: Annotated[Share, _of_shop("wrong_yes")] = None,
    wrong_no: Annotated[Share, _of_shop("wrong_no")] = None,
    wrong_yes_of: Annotated[Words, _of_shop("wrong_yes_of")] = None,
    wrong_no_of: Annotated[Words, _of_shop("wrong_no_of")] = None,
    duplicated: Annotated[Share, _of_shop("duplicated")] = None,
    late: Annotated[Share, _of_shop("late")] = None,
    disordered: Annotated[Share, _of_shop("disordered")] = None,
    malformed: Annotated[Share, _of_shop("malformed")] = None,
) -> None:
    """Write the event log of a simulated shop, with habits and accidents.

    The truth, in a file of its own, tells which labels are wrong and why.
    """
    given = dict(locals())
    for name in ("wrong_yes_of", "wrong_no_of"):
        given[name] = ",".join(given[name] or ())
    from mainstem.cli.tables import working  # rich is slow to import
    from mainstem.simulate import simulate as written  # slow to import

    shop = Shop(
        **{name: given[name] for name in Shop.__dataclass_fields__ if given[name] is not None}
    )
    if truth and (is_stdout(truth) or same_file(truth, output)):
        both = f"got {str(truth)!r} beside the log {str(output)!r}"
        msg = f"the truth needs a file of its own; {both}"
        raise SettingError(msg)
    with working("simulating"), ExitStack() as files:
        log = files.enter_context(open_whole(output))
        made = written(
            shop, log, files.enter_context(open_whole(truth)) if truth else None, events=events
        )
    _tell(shop, made, output)
    if not made.probabilities:
        msg = (
            f"no shopper asks anything in {str(output)!r}, so nothing can be learnt from it; give "
            "more --days, --sessions or --users"
        )
        raise LogError(msg)


def _tell(shop: Shop, made: "Simulated", output: Path) -> None:
    print(
        f"wrote {made.lines:,} lines to {printable(str(output))}: {_counts(made.kinds)}",
        file=sys.stderr,
    )
    print(f"  lines that an accident made or changed: {_counts(made.accidents)}", file=sys.stderr)
    wrong = (
        f"items of questions whose answer in the log is wrong, or may be: {_counts(made.causes)}"
    )
    print(f"  {wrong}", file=sys.stderr)
    print(f"  wrong answers in the log: {', '.join(_wrong(made))}", file=sys.stderr)
    for name, asked, share in (
        ("--wrong-yes", shop.wrong_yes, made.wrong(1)),
        ("--wrong-no", shop.wrong_no, made.wrong(0)),
    ):
        if (
            asked
            and not (shop.wrong_yes_of or shop.wrong_no_of)
            and round(share or 0, 2) > round(asked, 2)
        ):
            told = f"other accidents make more wrong than {name} {asked:g} asks for"
            print(f"  {told}; lower those to reach it", file=sys.stderr)
    best = "none: nobody asked for anything" if made.best_auc is None else f"{made.best_auc:.4f}"
    print(f"  best AUC that a model could reach against the truth: {best}", file=sys.stderr)


def _wrong(made: "Simulated") -> Iterator[str]:
    for label, name in ((1, "yes"), (0, "no")):
        share = made.wrong(label)
        yield f"no {name}" if share is None else f"{share:.1%} of the {name}"


def _counts(counts: "Counter[str]") -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) or "none"
