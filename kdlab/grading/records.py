"""What a grading run leaves on disk, and how the next one goes on from there.

GRADES/run.json               homework, seed, where the submissions lie
GRADES/results/KEY.json       one result, whole or not there
GRADES/notebooks/KEY.ipynb    release and answers, clean, to read beside the grade
GRADES/history/KEY/...        results that a later run replaced
GRADES/grades.csv, report/    written from the results
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from kdlab._files import read_json, write_json
from kdlab.grading.seeds import seed_from

if os.name == "posix":
    import fcntl

FORMAT = 1


class Records:
    """The folder of one grading run.

    Args:
        folder: Where it lies; made where it doesn't exist.
        homework: The homework's id.
        seed: The seed of the run; drawn where it is None, kept where the run exists.

    Raises:
        ValueError: The folder holds another homework or another seed, or other things.
    """

    def __init__(self, folder: Path, homework: str, *, seed: int | None = None) -> None:
        self.folder = folder
        self.homework = homework
        self.results = folder / "results"
        start = folder / "run.json"
        if not start.exists():
            self._begin(start, seed)
        said = read_json(start)
        if said.get("homework") != homework:
            raise ValueError(f"{folder} holds grades of {said.get('homework')}, not of {homework}")
        if seed not in (None, said["seed"]):
            raise ValueError(f"seed must be {said['seed']}, as in {start}, got {seed}")
        self.seed: int = said["seed"]

    @classmethod
    def open(cls, folder: Path) -> "Records":
        """Open an existing run.

        Raises:
            ValueError: The folder holds none.
        """
        if not (folder / "run.json").exists():
            raise ValueError(f"{folder} holds no grades; `grade HOMEWORK SUBMISSIONS --out` does")
        return cls(folder, read_json(folder / "run.json").get("homework", ""))

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second run out of the folder.

        Raises:
            ValueError: One is at work there.
        """
        with open(self.folder / ".lock", "w") as file:
            try:
                if os.name == "posix":
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ValueError(f"another run is grading into {self.folder}") from None
            yield

    def remember(self, **said: object) -> None:
        """Add to what run.json says, for example where the submissions lie."""
        start = self.folder / "run.json"
        write_json(start, read_json(start) | said)

    def seed_for(self, key: str) -> int:
        """Return the seed of one submission; the same in every run of this folder."""
        return seed_from(f"{self.seed} {key}")

    def path(self, key: str) -> Path:
        """Return where the result of a submission lies."""
        return self.results / f"{key}.json"

    def load(self, key: str) -> dict | None:
        """Return a stored result, or None."""
        return read_json(self.path(key)) if self.path(key).exists() else None

    def keys(self) -> list[str]:
        """Return the keys of all stored results."""
        return sorted(path.stem for path in self.results.glob("*.json"))

    def save(self, key: str, result: dict) -> None:
        """Store a result; an older one that says something else moves to the history."""
        older = self.load(key)
        if older and without_times(older) == without_times(result):
            return
        if older:
            place = self.folder / "history" / key
            place.mkdir(parents=True, exist_ok=True)
            when = str(older.get("graded", "")).replace(":", "-")
            write_json(place / f"{when}-{secrets.token_hex(3)}.json", older)
        write_json(self.path(key), result)

    def _begin(self, start: Path, seed: int | None) -> None:
        if self.folder.exists() and any(self.folder.iterdir()):
            raise ValueError(f"{self.folder} must be empty or hold grades, got other files")
        self.results.mkdir(parents=True, exist_ok=True)
        drawn = secrets.randbits(48) if seed is None else seed
        write_json(start, {"format": FORMAT, "homework": self.homework, "seed": drawn})


def without_times(result: dict) -> dict:
    """Return a result without what differs from run to run: times and the date."""
    kept = {key: value for key, value in result.items() if key not in ("seconds", "graded")}
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in result["questions"]]
    return kept | {"questions": rows}
