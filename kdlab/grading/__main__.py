"""The command line: ``python -m kdlab.grading release | grade | report | regrade | doctor``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kdlab.grading import commands
from kdlab.grading.registry import homework_id

_EPILOG = """
a whole round:
  python -m kdlab.grading release hw1 --out for-students
  python -m kdlab.grading grade hw1 downloads/ --out grades
  python -m kdlab.grading report grades

grades/report/index.html is the class page, grades/grades.csv the table.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0, 1 for bad input, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\nstopped; nothing is lost: the same command goes on from here", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"kdlab.grading: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kdlab.grading",
        description="Release, grade and report homework.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    for add in (_add_release, _add_grade, _add_report, _add_regrade, _add_course, _add_doctor):
        add(verbs)
    return parser


def _add(verbs, name: str, run, text: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    verb.set_defaults(run=run)
    return verb


def _add_release(verbs) -> None:
    verb = _add(verbs, "release", commands.release, "write the students' notebook")
    verb.add_argument("homework", type=homework_id, help="for example hw1")
    verb.add_argument("--out", type=Path, required=True, help="folder for the notebook")
    verb.add_argument("--source", type=Path, help="another instructor's notebook")
    verb.add_argument("--force", action="store_true", help="replace a file that differs")


def _add_grade(verbs) -> None:
    verb = _add(verbs, "grade", commands.grade, "grade a folder or zip of submissions")
    verb.add_argument("homework", type=homework_id, help="for example hw1")
    verb.add_argument("submissions", type=Path, help="folder, zip or LMS download")
    verb.add_argument("--out", type=Path, required=True, help="folder for grades; goes on there")
    verb.add_argument("--release", type=Path, help="the notebook that the students were given")
    verb.add_argument("--seed", type=int, help="seed of the fresh inputs; drawn by default")
    _add_workers(verb)


def _add_report(verbs) -> None:
    verb = _add(verbs, "report", commands.report, "write the class page and the students' pages")
    verb.add_argument("grades", type=Path, help="folder that `grade` wrote")


def _add_regrade(verbs) -> None:
    text = "grade once more from the recorded seeds and say what changes"
    verb = _add(verbs, "regrade", commands.regrade, text)
    verb.add_argument("grades", type=Path, help="folder that `grade` wrote")
    verb.add_argument("--student", action="append", help="key or name; all by default")
    verb.add_argument("--submissions", type=Path, help="where they lie, if they were moved")
    verb.add_argument("--release", type=Path, help="the notebook that the students were given")
    _add_workers(verb)


def _add_course(verbs) -> None:
    verb = _add(verbs, "course", commands.course, "make a folder for a normal nbgrader course")
    verb.add_argument("folder", type=Path, help="a new or existing course folder")


def _add_doctor(verbs) -> None:
    _add(verbs, "doctor", commands.doctor, "say what isolation this machine gives, by trying")


def _add_workers(verb) -> None:
    verb.add_argument("--workers", type=int, help="processes on this machine; default: its cores")
    verb.add_argument("--scheduler", help="address of a dask.distributed scheduler")
    text = "no walls, as on macOS and Windows: only for people whom you trust"
    verb.add_argument("--unisolated", action="store_true", help=text)


if __name__ == "__main__":
    sys.exit(main())
