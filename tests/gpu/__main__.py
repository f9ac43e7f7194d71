"""One command for a GPU: what it says against the CPU, what responses cost there, and where the time goes.

python -m tests.gpu --markdown gpu.md --json gpu.json      at most eight minutes on one data-centre GPU; nothing is fetched
python -m tests.gpu --device cpu --quick                   the same parts at tiny sizes, to try the script itself

Weights are random. The exit code is 1 where a tolerance is broken or a part fails, and 2 without a GPU. mainstem need not be
installed: from a checkout its source is found by itself.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import torch

if (
    importlib.util.find_spec("mainstem") is None
):  # a GPU machine often has no network to install it by
    sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from tests.gpu.plan import Plan, Sizes, run_parts
from tests.gpu.report import markdown_of

NO_GPU = "no GPU: torch sees no CUDA device here; nothing was measured (--device cpu --quick tries the script itself)"
MOST_THREADS = 8  # of the CPU's side: a container may show torch more cores than it may use


def main() -> int:
    """Run the parts, print the report, and say whether all held."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument(
        "--minutes", type=float, default=8.0, help="no part begins that may end after this"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PART", help="a part to run; all by default"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print(NO_GPU)
        return 2
    torch.set_num_threads(min(torch.get_num_threads(), MOST_THREADS))
    plan = Plan(given.device, Sizes.tiny() if given.quick else Sizes(), given.minutes * 60)

    def keep() -> None:  # after each part: a run that is cut off leaves what it found
        if given.json:
            given.json.write_text(json.dumps(plan.found, indent=1))
        if given.markdown:
            given.markdown.write_text(markdown_of(plan.found))

    run_parts(plan, given.only, keep)
    print(markdown_of(plan.found), flush=True)
    return 0 if plan.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
