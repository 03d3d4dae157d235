"""Where the homework of this repository lies."""

from pathlib import Path

from kdlab.grading.spec import Homework

HOME = Path(__file__).resolve().parents[2] / "notebooks" / "homework"


def source_path(homework: Homework) -> Path:
    """Return where the instructor's notebook lies in the repository."""
    return HOME / f"{homework.name}.ipynb"


def release_path(homework: Homework) -> Path:
    """Return where the generated release lies in the repository."""
    return HOME / "release" / f"{homework.name}.ipynb"
