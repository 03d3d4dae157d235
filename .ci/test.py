"""Run every check of the course and close with one summary; what `make test` runs.

    .venv/bin/python .ci/test.py                 everything
    .venv/bin/python .ci/test.py style unit      only these parts

Parts: style (ruff), unit (pytest), digits (all notebooks on the bundled digits), mnist (the
same on MNIST, where KDLAB_DATA holds it), browser (JupyterLab in Chromium, where it is found).
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("failed", "passed", "skipped", "error")
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=600"]
LECTURES = [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
# Homework looks the same with and without MNIST; its releases hold nothing to run.
HOMEWORK = ["notebooks/homework", "--ignore=notebooks/homework/release"]


@dataclass
class Outcome:
    """What one part came to: counts by kind, one line for each failure or skip."""

    counts: Counter = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run_ruff(arguments: list[str], environment: dict[str, str]) -> Outcome:
    """Run one ruff command; it counts as one test."""
    done = subprocess.run([sys.executable, "-m", "ruff", *arguments], cwd=ROOT, env=environment)
    if done.returncode:
        return Outcome(Counter(failed=1), [f"FAILED ruff {' '.join(arguments)}"])
    return Outcome(Counter(passed=1))


def run_pytest(arguments: list[str], environment: dict[str, str]) -> Outcome:
    """Run pytest on its own and read the counts from its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, cwd=ROOT, env=environment).returncode
        if not report.exists():
            return Outcome(Counter(error=1), [f"ERROR pytest ended early, exit status {code}"])
        outcome = read_report(report)
    if code and not outcome.counts["failed"] + outcome.counts["error"]:
        outcome.counts["error"] += 1
        outcome.lines.append(f"ERROR pytest, exit status {code} (5: it found no tests)")
    return outcome


def read_report(report: Path) -> Outcome:
    """Count the tests in a JUnit file by how they ended."""
    outcome = Outcome()
    names = {"failure": "failed", "error": "error", "skipped": "skipped"}
    for case in ElementTree.parse(report).iter("testcase"):
        ends = [names[child.tag] for child in case if child.tag in names]
        kind = next((kind for kind in ("failed", "error", "skipped") if kind in ends), "passed")
        outcome.counts[kind] += 1
        if kind in ("failed", "error"):
            outcome.lines.append(f"FAILED {case.get('classname')}::{case.get('name')}")
    return outcome


def skipped(reason: str) -> Outcome:
    """Return the outcome of a part that can't run here."""
    return Outcome(Counter(skipped=1), [f"SKIPPED {reason}"])


def check_style(environment: dict[str, str]) -> list[Outcome]:
    """Rules and layout of the code, notebooks included."""
    commands = (["check", "."], ["format", "--check", "."])
    return [run_ruff(command, environment) for command in commands]


def check_units(environment: dict[str, str]) -> list[Outcome]:
    """Everything under tests/ that needs no browser."""
    return [run_pytest(["-m", "not browser", "--durations=5", "tests"], environment)]


def check_digits(environment: dict[str, str]) -> list[Outcome]:
    """Every notebook from top to bottom without network and without MNIST."""
    with tempfile.TemporaryDirectory() as cache:
        kept = {key: value for key, value in environment.items() if key != "KDLAB_DATA"}
        kept |= {"KDLAB_OFFLINE": "1", "KDLAB_CACHE": cache}
        return [run_pytest(["--durations=5", *NBVAL, *LECTURES, *HOMEWORK], kept)]


def check_mnist(environment: dict[str, str]) -> list[Outcome]:
    """Every notebook from top to bottom on MNIST."""
    root = environment.get("KDLAB_DATA", "")
    if not root or not (Path(root) / "MNIST" / "raw").is_dir():
        return [skipped("notebooks on MNIST: set KDLAB_DATA to a folder that holds MNIST/raw")]
    arguments = ["--durations=5", *NBVAL, *LECTURES]
    return [run_pytest(arguments, environment | {"KDLAB_OFFLINE": "1"})]


def check_browser(environment: dict[str, str]) -> list[Outcome]:
    """Sliders, keys and exported pages in a real Chromium."""
    return [run_pytest(["-m", "browser", "tests/browser"], environment)]


PARTS = {
    "style": check_style,
    "unit": check_units,
    "digits": check_digits,
    "mnist": check_mnist,
    "browser": check_browser,
}


def run_part(name: str, environment: dict[str, str]) -> Outcome:
    """Announce a part, run it, and add up what its commands came to."""
    start = time.perf_counter()
    print(f"\n##### {name}: {PARTS[name].__doc__.splitlines()[0]}", flush=True)
    total = Outcome()
    for outcome in PARTS[name](environment):
        total.counts += outcome.counts
        total.lines += outcome.lines
    total.seconds = time.perf_counter() - start
    return total


def count_line(counts: Counter) -> str:
    """Write counts as pytest does, for example "2 failed, 310 passed"."""
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "nothing ran"


def summarize(outcomes: dict[str, Outcome]) -> bool:
    """Print the closing summary; return True where nothing failed."""
    total = sum((outcome.counts for outcome in outcomes.values()), Counter())
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    print("\n" + " kdlab: all parts ".center(80, "="))
    for name, outcome in outcomes.items():
        print(f"{name:<10}{count_line(outcome.counts):<50}{outcome.seconds:>10.1f} s")
    for name, outcome in outcomes.items():
        for line in outcome.lines:
            print(f"{name}: {line}")
    print(f" {count_line(total)} in {seconds:.2f}s ".center(80, "="), flush=True)
    return bool(total) and not total["failed"] + total["error"]


def main() -> int:
    """Run the parts named on the command line, or all of them."""
    names = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        sys.exit(f"unknown part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    threads = str(min(2, os.cpu_count() or 1))
    environment = {"OMP_NUM_THREADS": threads, "JUPYTER_PREFER_ENV_PATH": "1"} | dict(os.environ)
    outcomes: dict[str, Outcome] = {}
    try:
        for name in names:
            outcomes[name] = run_part(name, environment)
    except KeyboardInterrupt:
        print("\ninterrupted: what follows is what ran until now")
        summarize(outcomes)
        return 130
    return 0 if summarize(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
