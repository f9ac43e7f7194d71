"""Markdown out of the results."""

from collections.abc import Iterable, Sequence
from typing import Any


def markdown_of(found: dict[str, Any]) -> str:
    """Return the whole report."""
    lines = ["# mainstem on a GPU", ""]
    broken = [one for one in found["checks"] if not one["holds"]]
    lines.append(
        f"{len(found['checks'])} comparisons with the CPU's float32, "
        f"{len(broken)} beyond their limit."
    )
    for one in broken:
        where = f"{one['what']}, {one['precision']}, {one['limit']:.0e}"
        lines.append(f"- beyond its limit: {where}: {_errors(one)}")
    lines += [f"- failed: {what}: {error}" for what, error in found["failed"].items()]
    lines += [f"- left out for lack of time: {name}" for name in found["left_out"]]
    lines += [
        "",
        "Seconds: " + ", ".join(f"{name} {seconds}" for name, seconds in found["seconds"].items()),
        "",
    ]
    if "machine" in found:
        lines += [
            "## Machine",
            "",
            *(f"- {key}: {value}" for key, value in found["machine"].items()),
        ]
        peaks = ", ".join(f"{kind} {value:,}" for kind, value in found.get("peak", {}).items())
        lines += [f"- measured TFLOP/s of a product of matrices: {peaks}", ""]
    if found["checks"]:
        lines += [
            "## Against the CPU",
            "",
            *_table(("what", "precision", "limit", "errors"), _checks(found["checks"])),
            "",
        ]
    for name, bench in found.get("bench", {}).items():
        lines += [
            f"## {name}",
            "",
            *bench["notes"],
            "",
            *_table(bench["header"], bench["rows"]),
            "",
        ]
    for name, shares in found.get("kernels", {}).items():
        lines += [f"## Time by kernel: {name}", ""]
        for title, header, rows in shares:
            lines += [title, "", *_table(header, rows), ""]
    return "\n".join(lines)


def _checks(checks: Sequence[dict[str, Any]]) -> Iterable[Sequence[Any]]:
    for one in checks:
        yield (
            one["what"],
            one["precision"],
            f"{one['limit']:.0e}",
            _errors(one) + ("" if one["holds"] else " **broken**"),
        )


def _errors(check: dict[str, Any]) -> str:
    return ", ".join(f"{name} {error:.1e}" for name, error in check["errors"].items())


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    shown = [["" if cell is None else str(cell).replace("|", "/") for cell in row] for row in rows]
    return ["| " + " | ".join(row) + " |" for row in [list(header), ["---"] * len(header), *shown]]
