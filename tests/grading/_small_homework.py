"""A small homework in numpy, for tests and benchmarks: its questions, release and answers."""

import json

import numpy as np

from kdlab.grading.intake import Notebook, parse_notebook
from kdlab.grading.spec import Case, Comparison, Homework, Mistake, Question, Threshold

CLOSE = Comparison(rtol=1e-9, atol=1e-12, reason="float64 keeps 16 digits")


def _numbers(generator) -> np.ndarray:
    import torch

    return torch.randn(6, generator=generator, dtype=torch.float64).numpy()


def _draw(generator) -> tuple[Case, ...]:
    heavy = Case("the second", {"x": _numbers(generator)}, weight=3)
    return (Case("the first", {"x": _numbers(generator)}), heavy)


def _guess(generator) -> tuple[Case, ...]:
    hidden = _numbers(generator)
    return (Case("near it", {"x": hidden + 0.25}, hidden={"truth": hidden}),)


def _mean_error(answer, hidden) -> float:
    if getattr(answer, "shape", None) != (6,):
        raise ValueError("expected 6 numbers")
    return float(np.abs(answer - hidden["truth"]).mean())


def _question(number: int, name: str, **fields) -> Question:
    whole = {
        "id": f"small-q{number}",
        "title": name,
        "minutes": 5,
        "signature": f"{name}(x: Float64[ndarray, 'six']) -> number",
        "statement": f"Return the {name}.",
        "cases": (Case("three numbers", {"x": np.array([1.0, 2.0, 6.0])}),),
        "draw": _draw,
        "comparison": CLOSE,
        "mistakes": (),
        "points": 4.0,
        "seconds": 2.0,
        "memory": 256,
    }
    return Question(**whole | fields)


def mean(x):
    return x.sum() / len(x)


def variance(x):
    return ((x - mean(x)) ** 2).mean()


SMALL = Homework(
    id="small",
    name="small_statistics",
    title="Statistics of six numbers",
    imports=("numpy",),
    questions=(
        _question(1, "mean", reference=mean),
        _question(
            2,
            "variance",
            reference=variance,
            uses=("small-q1",),
            mistakes=(
                Mistake("unbiased", "This divides by n - 1.", (lambda x: x.var(ddof=1),)),
                Mistake("root taken", "This is its root.", (lambda x: x.std(),)),
            ),
        ),
        _question(
            3,
            "guess",
            reference=lambda x: x - 0.25,
            draw=_guess,
            comparison=Threshold(
                _mean_error, "mean error", ((0.01, 1.0), (0.3, 0.5)), "the offset is a quarter"
            ),
        ),
    ),
)
RIGHT = {
    "small-q1": "def mean(x):\n    return x.mean()",
    "small-q2": "def variance(x):\n    return ((x - mean(x)) ** 2).sum() / len(x)",
    "small-q3": "def guess(x):\n    return x - 0.25",
}
STUBS = {
    f"small-q{number}": f"def {name}(x):\n    raise NotImplementedError"
    for number, name in enumerate(("mean", "variance", "guess"), start=1)
}


def _cell(name: str, source: str, **told: bool) -> dict:
    roles = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    metadata = {"nbgrader": {"grade_id": name, **roles, **told}}
    blank = {"cell_type": "code", "outputs": [], "execution_count": None}
    return {**blank, "id": name, "metadata": metadata, "source": source}


def notebook(**answers: str) -> dict:
    """Return a notebook with the right answers, but for those given (``q1="..."``)."""
    sources = RIGHT | {f"small-{name}": text for name, text in answers.items()}
    cells = [_cell("small-imports", "import numpy as np", locked=True)]
    for name, source in sources.items():
        cells.append(_cell(name, source, solution=True))
        cells.append(_cell(f"{name}-check", f"check('{name}')", grade=True, locked=True, points=4))
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}


def data(**answers: str) -> bytes:
    """Return such a notebook as a file's bytes."""
    return json.dumps(notebook(**answers)).encode()


def release() -> Notebook:
    """Return the students' notebook, as `grade` takes it."""
    stubs = {name.removeprefix("small-"): text for name, text in STUBS.items()}
    return parse_notebook(data(**stubs))
