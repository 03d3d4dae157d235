"""How long each lecture takes from top to bottom, on whatever data is at hand.

python -m tests.benchmarks.lectures
"""

import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.benchmarks.table import header, row

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def main() -> None:
    """Print the table; nothing is written."""
    header("Lectures from top to bottom")
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        NotebookClient(notebook, timeout=900, resources={"metadata": {"path": NOTEBOOKS}}).execute()
        seconds = time.perf_counter() - start
        row(path.stem, f"{seconds:.0f} s", "at most 180 s", seconds <= 180)


if __name__ == "__main__":
    main()
