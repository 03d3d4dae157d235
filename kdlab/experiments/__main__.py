"""The command line: ``python -m kdlab.experiments list | run | table``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kdlab.course import RESULTS
from kdlab.experiments import NAMES, commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0, 1 for bad input, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("\nstopped; nothing is lost: the same command goes on from here", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        print(f"kdlab.experiments: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kdlab.experiments",
        description="The published tables beside ours, measured here.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    listing = verbs.add_parser("list", help="what there is, and how long it takes")
    listing.set_defaults(run=commands.list_all)
    running = verbs.add_parser("run", help="train what is missing and write the results")
    running.set_defaults(run=commands.run)
    _add_run(running)
    table = verbs.add_parser("table", help="published beside here")
    table.set_defaults(run=commands.table)
    table.add_argument("name", nargs="?", choices=NAMES, help="all by default")
    table.add_argument("--markdown", action="store_true", help="as a Markdown table")
    for verb in (running, table):
        text = "folder of the results; default: assets/results"
        verb.add_argument("--results", type=Path, default=RESULTS, help=text)
    return parser


def _add_run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", choices=NAMES)
    verb.add_argument("--seeds", type=int, help="how many; default: as the experiment says")
    verb.add_argument("--device", default="cpu", help="cpu, cuda, mps; default: cpu")
    text = "one epoch each, on the digits that are always there: only to see that it works"
    verb.add_argument("--quick", action="store_true", help=text)
    verb.add_argument("--runs", type=Path, help="folder of unfinished and finished units")
    verb.add_argument("--processes", type=int, default=1, help="how many share the work")


if __name__ == "__main__":
    sys.exit(main())
