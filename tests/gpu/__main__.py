"""Check and measure mainstem on a GPU.

The report compares results with the CPU's, and says what responses cost and where the time goes.

python -m tests.gpu --markdown gpu.md --json gpu.json    at most eight minutes on a data-centre GPU
python -m tests.gpu --device cpu --quick                 the same parts at tiny sizes, to try it

Weights are random and nothing is downloaded. The exit code is 1 where an error is beyond its limit
or a part fails, and 2 without a GPU. mainstem need not be installed in a checkout.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import torch

# a GPU machine often has no network to install mainstem with
if importlib.util.find_spec("mainstem") is None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from tests.gpu.plan import Plan, Sizes, run_parts
from tests.gpu.report import markdown_of

NO_GPU = (
    "no GPU: torch sees no CUDA device here; nothing was measured "
    "(--device cpu --quick tries the script itself)"
)
# for the CPU's side: a container may show torch more cores than it may use
MOST_THREADS = 8


def main() -> int:
    """Run the parts, print the report, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--device", choices=("cuda", "cpu"), default="cuda", help="the device to check"
    )
    parser.add_argument("--quick", action="store_true", help="run at tiny sizes")
    parser.add_argument(
        "--minutes",
        type=float,
        default=8.0,
        help="start no part that may end later than this many minutes",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help="run this part; may be given several times; all parts without it",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report here")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print(NO_GPU)
        return 2
    torch.set_num_threads(min(torch.get_num_threads(), MOST_THREADS))
    plan = Plan(given.device, Sizes.tiny() if given.quick else Sizes(), given.minutes * 60)

    # called after each part, so that a run that is cut off leaves its results
    def keep() -> None:
        if given.json:
            given.json.write_text(json.dumps(plan.found, indent=1))
        if given.markdown:
            given.markdown.write_text(markdown_of(plan.found))

    run_parts(plan, given.only, keep)
    print(markdown_of(plan.found), flush=True)
    return 0 if plan.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
