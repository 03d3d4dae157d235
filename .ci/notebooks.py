"""Execute notebooks in place and leave in them only what a reader can use.

    python .ci/notebooks.py notebooks/01_*.ipynb           execute, clean, write
    python .ci/notebooks.py --record notebooks/*.ipynb     the same, and keep the times
    python .ci/notebooks.py --record --keep ...            keep the times, not the outputs
    python .ci/notebooks.py --clean notebooks/*.ipynb      clean only

Cleaning drops widget state and live-widget outputs (their still pictures stay), execution
times and the names of the machine, and joins pieces of one output stream. Times go to
assets/results/lecture_times.json and, from there, into the README's table.
"""

import argparse
import json
import os
import platform
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "assets" / "results" / "lecture_times.json"
WIDGET = "application/vnd.jupyter.widget-view+json"


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove, in place, what is of no use to a reader without a kernel."""
    notebook.metadata.pop("widgets", None)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata["kernelspec"] = kernel
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = clean_outputs(cell.outputs)
    return notebook


def clean_outputs(outputs: list) -> list:
    """Drop live widgets, then outputs left empty, and join pieces of one stream."""
    kept: list = []
    for output in outputs:
        had_data = bool(output.get("data"))
        output.get("data", {}).pop(WIDGET, None)
        output.get("metadata", {}).pop(WIDGET, None)
        if had_data and not output["data"]:
            continue
        joins = kept and output.output_type == kept[-1].output_type == "stream"
        if joins and output.name == kept[-1].name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def execute(path: Path) -> tuple[nbformat.NotebookNode, float]:
    """Run a notebook from top to bottom in its own folder; return it and its seconds."""
    notebook = nbformat.read(path, as_version=4)
    print(f"{path}: executing", flush=True)
    start = time.perf_counter()
    where = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=900, store_widget_state=False, resources=where).execute()
    seconds = time.perf_counter() - start
    print(f"{path}: executed in {seconds:.0f} s", flush=True)
    return notebook, seconds


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write under a temporary name, then rename: an interrupted write loses nothing."""
    nbformat.validate(notebook)
    partial = path.with_suffix(".partial")
    nbformat.write(notebook, partial)
    os.replace(partial, path)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def record(name: str, seconds: float) -> None:
    """Keep how long a lecture took, and on what, for the lecture itself and the README."""
    empty: dict = {"seconds": {}}
    times = json.loads(RESULTS.read_text()) if RESULTS.exists() else empty
    cores, system = os.cpu_count(), f"{platform.system()} {platform.machine()}"
    times["hardware"] = f"{cores} cores, {system}, Python {platform.python_version()}"
    times["date"] = time.strftime("%Y-%m-%d")
    has_mnist = (Path(os.environ.get("KDLAB_DATA", "/nowhere")) / "MNIST").is_dir()
    lecture = times["seconds"].setdefault(name[:2], {})
    lecture["MNIST" if has_mnist else "digits"] = round(seconds)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(times, indent=2, sort_keys=True) + "\n")


def tell_time(notebook: nbformat.NotebookNode) -> None:
    """Let a lecture's own sentence about its time say what was just measured.

    The cell ran before the time was known; what it says now is what it would say again.
    """
    from kdlab import course

    for cell in notebook.cells:
        said = re.search(r"course\.lecture_time\(\"(\d\d)\"\)", cell.source)
        for output in cell.get("outputs", []) if said else ():
            if output.get("name") == "stdout":
                text = course.lecture_time(said[1])
                output.text = re.sub(r"(?m)^Top to bottom: .*$", text, output.text)


def write_times(readme: str, times: dict) -> str:
    """Return the README with the last column of its table of lectures filled in.

    A row is found by the number of the notebook it links to; lectures that were never timed
    keep theirs.
    """
    for number, seconds in times["seconds"].items():
        row = rf"(\| \[[^\]]*\]\(notebooks/{number}_[^)]*\.ipynb\).*\|)[^|\n]*\|$"
        shown = ", ".join(f"{value} s on {name}" for name, value in seconds.items())
        readme = re.sub(row, rf"\1 {shown} |", readme, flags=re.MULTILINE)
    return readme


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", action="store_true", help="do not execute")
    parser.add_argument("--record", action="store_true", help="keep the times, for the README")
    parser.add_argument("--keep", action="store_true", help="leave the notebook as it is")
    parser.add_argument("paths", nargs="+", type=Path)
    asked = parser.parse_args()
    for path in asked.paths:
        notebook, seconds = (nbformat.read(path, 4), 0) if asked.clean else execute(path)
        if asked.record and not asked.clean:
            record(path.stem, seconds)
            tell_time(notebook)
        if not asked.keep:
            write(clean(notebook), path)
    if asked.record:
        readme = ROOT / "README.md"
        readme.write_text(write_times(readme.read_text(), json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    sys.exit(main())
