"""The command line: ``python -m kdlab.experiments list | run | table``."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kdlab.course import RESULTS
from kdlab.experiments import commands
from kdlab.experiments.memory import keep_memory

_GO_ON = "stopped; the same command goes on, in a network at most five epochs before here"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0, 1 for bad input, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print(f"\n{_GO_ON}", file=sys.stderr)
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
    listing = verbs.add_parser("list", help="what there is, and about how long it takes")
    running = verbs.add_parser("run", help="train what is missing and write the results")
    table = verbs.add_parser("table", help="published beside here")
    _add_run(running)
    _add_table(table)
    _add_results((listing, commands.list_all), (running, commands.run), (table, commands.table))
    return parser


def _add_results(*verbs: tuple[argparse.ArgumentParser, Callable]) -> None:
    for verb, command in verbs:
        text = "folder of the results; default: assets/results"
        verb.add_argument("--results", type=Path, default=RESULTS, help=text)
        verb.set_defaults(run=command)


def _add_table(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "name", nargs="?", help="one of `list`, or a file of your own; all by default"
    )
    verb.add_argument("--markdown", action="store_true", help="as a Markdown table")


def _add_run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", help="one of `list`, or a file of your own that defines EXPERIMENT")
    count = verb.add_mutually_exclusive_group()
    count.add_argument("--seeds", type=int, help="how many; default: as the experiment says")
    text = "so many seeds more than the results have that are there; theirs are not trained again"
    count.add_argument("--more", type=int, metavar="N", help=text)
    verb.add_argument("--device", default="cpu", help="cpu, cuda, mps; default: cpu")
    text = "one epoch each, on the digits that are always there: a trial, of which nothing is kept"
    verb.add_argument("--quick", action="store_true", help=text)
    text = "how many share the work on this machine; default: one a core, on a GPU one"
    verb.add_argument("--processes", type=int, help=text)
    text = "address of a dask.distributed cluster that shares it"
    verb.add_argument("--scheduler", metavar="ADDRESS", help=text)
    text = "folder of unfinished and finished networks; default: in the user's cache"
    verb.add_argument("--runs", type=Path, help=text)


if __name__ == "__main__":
    # A terminated run ends as one that Ctrl-C ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_memory()
    sys.exit(main())
