"""Broken and unusual files: what a class hands in, by mistake or to break the grader."""

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class File:
    """One file among the submissions.

    Attributes:
        name: The file's name.
        write: Writes it: function of the path and of a right notebook (as JSON).
        status: What is fair: "graded", "check by hand" or "not graded".
        full: Whether all points are due.
    """

    name: str
    write: Callable[[Path, dict], object]
    status: str
    full: bool = False


def _bytes(make: Callable[[bytes], bytes]) -> Callable[[Path, dict], object]:
    return lambda path, right: path.write_bytes(make(json.dumps(right).encode()))


def _edited(edit: Callable[[dict], object]) -> Callable[[Path, dict], object]:
    def write(path: Path, right: dict) -> None:
        changed = copy.deepcopy(right)
        edit(changed)
        path.write_text(json.dumps(changed))

    return write


def cell(notebook: dict, name: str) -> dict:
    """Return the cell with this grade id."""
    found = [c for c in notebook["cells"] if _grade_id(c) == name]
    return found[0]


def _grade_id(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def _duplicate(notebook: dict) -> None:
    notebook["cells"].append(copy.deepcopy(cell(notebook, "hw1-q2")))


def _rename(notebook: dict) -> None:
    found = cell(notebook, "hw1-q2")
    found["metadata"] = {}
    found["id"] = "another"


def _edit_tests(notebook: dict) -> None:
    cell(notebook, "hw1-q2")["source"] = "def entropy(probabilities): return 0.0"
    for one in notebook["cells"]:
        if _grade_id(one).endswith("-check"):
            one["source"] = "print('all right')"
            one["metadata"]["nbgrader"]["points"] = 1000


def _delete_tests(notebook: dict) -> None:
    notebook["cells"] = [c for c in notebook["cells"] if not _grade_id(c).endswith("-check")]


def _add_helper(notebook: dict) -> None:
    answer = cell(notebook, "hw1-q2")
    place = notebook["cells"].index(answer)
    helper = {
        "cell_type": "code",
        "id": "mine",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": "import torch\ndef my_helper(p):\n    return torch.special.xlogy(p, p)",
    }
    notebook["cells"].insert(place, helper)
    answer["source"] = "def entropy(p): return -my_helper(p).sum(dim=-1)"


def _add_magics(notebook: dict) -> None:
    found = cell(notebook, "hw1-q2")
    found["source"] = "%matplotlib inline\n!pip install numpy\n" + "".join(found["source"])


def _kernel(name: str) -> Callable[[dict], object]:
    def edit(notebook: dict) -> None:
        notebook["metadata"]["kernelspec"] = {"name": "ir", "language": name, "display_name": name}
        notebook["metadata"]["language_info"] = {"name": name}

    return edit


def _pad(notebook: dict) -> None:
    notebook["metadata"]["padding"] = "x" * 200_000_000


def _surrogates(notebook: dict) -> None:
    found = cell(notebook, "hw1-q2")
    found["source"] = "x = '\ud800'\n" + "".join(found["source"])


def _link(path: Path, right: dict) -> None:
    path.symlink_to(path.parent / "victim 1.ipynb")


REJECTED = (
    File("empty.ipynb", _bytes(lambda data: b""), "not graded"),
    File("truncated.ipynb", _bytes(lambda data: data[: len(data) // 2]), "not graded"),
    File("a pdf.ipynb", _bytes(lambda data: b"%PDF-1.7\n" + bytes(range(256))), "not graded"),
    File("utf-16.ipynb", _bytes(lambda data: data.decode().encode("utf-16")), "not graded"),
    File("latin-1.ipynb", _bytes(lambda data: data + "é".encode("latin-1")), "not graded"),
    File("200 MB.ipynb", _edited(_pad), "not graded"),
    File("deep.ipynb", _bytes(lambda data: b'{"cells":' + b"[" * 10**5), "not graded"),
    File("a list.ipynb", _bytes(lambda data: b"[1, 2, 3]"), "not graded"),
    File("version 3.ipynb", _bytes(lambda data: b'{"nbformat": 3}'), "not graded"),
    File("in R.ipynb", _edited(_kernel("R")), "not graded"),
    File("a link.ipynb", _link, "not graded"),
    File("a pipe.ipynb", lambda path, right: os.mkfifo(path), "not graded"),
    File("essay.pdf", _bytes(lambda data: b"%PDF-1.7"), "not graded"),
    File("numbers.ipynb", _bytes(lambda data: b'{"nbformat":' + b"9" * 10**5), "not graded"),
)
READ = (
    File("duplicated cell.ipynb", _edited(_duplicate), "graded", full=True),
    File("renamed cell.ipynb", _edited(_rename), "graded", full=True),
    File("edited tests.ipynb", _edited(_edit_tests), "graded"),
    File("deleted tests.ipynb", _edited(_delete_tests), "graded", full=True),
    File("a helper cell.ipynb", _edited(_add_helper), "graded", full=True),
    File("magics.ipynb", _edited(_add_magics), "graded", full=True),
    File("a lone surrogate.ipynb", _edited(_surrogates), "graded", full=True),
    File("with a mark.ipynb", _bytes(lambda data: b"\xef\xbb\xbf" + data), "graded", full=True),
    File("  spaces   within  .ipynb", _bytes(bytes), "graded", full=True),
    File("new\nline.ipynb", _bytes(bytes), "graded", full=True),
    File("Анна Иванова.ipynb", _bytes(bytes), "graded", full=True),
    File("王小明.ipynb", _bytes(bytes), "graded", full=True),
    File("-rf.ipynb", _bytes(bytes), "graded", full=True),
    File("<script>alert(1)<script>.ipynb", _bytes(bytes), "graded", full=True),
    File("=cmd|' calc'!A0.ipynb", _bytes(bytes), "graded", full=True),
)
FILES = (*REJECTED, *READ)
