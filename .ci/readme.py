"""Write the measured tables into the README: whatever stands between two markers of a name.

    .venv/bin/python .ci/readme.py

Nothing there is typed: the tables come from assets/results.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kdlab import experiments  # noqa: E402
from kdlab._files import write_text  # noqa: E402

README, RESULTS = ROOT / "README.md", ROOT / "assets" / "results"
#: Rows of the headline table; `python -m kdlab.experiments table` prints all.
HEADLINE = (
    "teacher",
    "labels-only",
    "student",
    "labels-moved",
    "student-gain",
    "student-fixed",
    "no-threes-raw",
    "no-threes-bias",
    "no-threes-bias-on-threes",
    "sevens-eights-raw",
    "sevens-eights-bias",
    "convolutional",
    "best-student",
)
LOOPS = {
    "products": "its matrix products alone",
    "bare": "forward, backward and update alone",
    "ours": "`kdlab.schemes.distill`",
    "tutorial": "the loop of PyTorch's distillation tutorial",
    "repdistiller": "the loop of RepDistiller",
}


def main() -> None:
    """Fill the README in place."""
    write_text(README, filled(README.read_text(encoding="utf-8")))


def filled(text: str) -> str:
    """Return a text with every marked table made anew."""
    for name, make in TABLES.items():
        marked = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if marked.search(text):
            table = make()
            text = marked.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)
    return text


def headline() -> str:
    """Return the published table beside ours."""
    return experiments.Table(experiments.load_results("hinton-mnist"), HEADLINE).markdown


def speed() -> str:
    """Return the epochs side by side."""
    said = json.loads((RESULTS / "training_speed.json").read_text(encoding="utf-8"))
    sizes = said["batches"]
    heads = [f"batch {size['batch_size']}" for size in sizes]
    lines = [f"| one epoch of MNIST | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(sizes)]
    for loop, text in LOOPS.items():
        times = [f"{size['seconds'][loop]:.2f} s" for size in sizes]
        lines.append(f"| {text} | {' | '.join(times)} |")
    shares = [f"{size['share_of_products']:.0%}" for size in sizes]
    lines.append(f"| share of the matrix-product rate that ours reaches | {' | '.join(shares)} |")
    return "\n".join(lines) + f"\n\nMedians; {said['hardware']}, torch {said['versions']['torch']}."


TABLES: dict[str, Callable[[], str]] = {"hinton-mnist": headline, "training-speed": speed}

if __name__ == "__main__":
    main()
