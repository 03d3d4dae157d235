"""Execute notebooks in place and leave in them only what a reader can use.

    python .ci/notebooks.py notebooks/01_*.ipynb      execute, clean, write
    python .ci/notebooks.py --clean notebooks/*.ipynb  clean only

Cleaning drops widget state and live-widget outputs (their still pictures stay), execution
times and the names of the machine, and joins pieces of one output stream.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove, in place, what is of no use to a reader without a kernel."""
    notebook.metadata.pop("widgets", None)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata["kernelspec"] = kernel
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
            output.get("metadata", {}).pop(WIDGET, None)
    return notebook


def execute(path: Path) -> nbformat.NotebookNode:
    """Run a notebook from top to bottom in its own folder."""
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    client = NotebookClient(
        notebook, timeout=900, store_widget_state=False, resources={"metadata": {"path": path.parent}}
    )
    client.execute()
    print(f"{path}: executed in {time.perf_counter() - start:.0f} s", flush=True)
    return notebook


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write under a temporary name, then rename: an interrupted write loses nothing."""
    nbformat.validate(notebook)
    partial = path.with_suffix(".partial")
    nbformat.write(notebook, partial)
    os.replace(partial, path)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", action="store_true", help="do not execute")
    parser.add_argument("paths", nargs="+", type=Path)
    asked = parser.parse_args()
    for path in asked.paths:
        notebook = nbformat.read(path, as_version=4) if asked.clean else execute(path)
        write(clean(notebook), path)


if __name__ == "__main__":
    sys.exit(main())
