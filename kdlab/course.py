"""What every lecture says of itself: how long it takes, and what it runs on."""

import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path

from kdlab._checks import check_choice

RESULTS = Path(__file__).resolve().parents[1] / "assets" / "results"
PACKAGES = ("torch", "torchvision", "numpy", "matplotlib", "anywidget", "jupyterlab")


def lecture_time(lecture: str, *, results: Path = RESULTS) -> str:
    """Say how long a lecture took, top to bottom, where it was measured.

    Args:
        lecture: Two digits, for example "01".
        results: Folder that holds lecture_times.json.

    Returns:
        One sentence; it says so if nothing was measured.

    Raises:
        ValueError: No such lecture was measured.
    """
    path = results / "lecture_times.json"
    if not path.exists():
        return "Not measured yet."
    measured = json.loads(path.read_text(encoding="utf-8"))
    check_choice(tuple(measured["seconds"]), lecture=lecture)
    seconds = measured["seconds"][lecture]
    times = ", ".join(f"{value} s on {name}" for name, value in seconds.items())
    return f"Top to bottom: {times} ({measured['hardware']}, {measured['date']})."


def environment() -> str:
    """Describe what this notebook runs on, a line each: Python, packages, threads, data."""
    import torch

    data = "set" if os.environ.get("KDLAB_DATA") else "not set"
    lines = [f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"]
    lines += [f"{name} {_version(name)}" for name in PACKAGES]
    lines += [f"torch threads: {torch.get_num_threads()}, GPU: {_accelerator()}"]
    lines += [f"KDLAB_DATA: {data}"]
    return "\n".join(lines)


def is_ready() -> bool:
    """Return whether Python and every package that the lectures need are there."""
    return (3, 11) <= sys.version_info[:2] and all(_version(name) != "-" for name in PACKAGES)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "-"


def _accelerator() -> str:
    import torch

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found.type if found else "none"
