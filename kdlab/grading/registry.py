"""Find a question or a homework by its id; a module is loaded when one of its ids is asked for."""

from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from kdlab._checks import check_choice
from kdlab.grading.plain import type_name, with_article
from kdlab.grading.spec import Homework, Question

# The part of an id before the dash -> the module under kdlab.grading.questions.
_HOMEWORKS = {
    "hw1": "hw1_temperature",
    "hw2": "hw2_features",
    "hw3": "hw3_together",
    "hw4": "hw4_privileged",
    "hw5": "hw5_condensation",
    "hw6": "hw6_normalization",
}
# What their sandboxes load: said here too, so that one can start before the questions are loaded.
_IMPORTS = {
    "hw1": ("numpy", "torch", "torch._dynamo"),
    "hw2": ("numpy", "torch"),
    "hw3": ("numpy", "torch", "torch._dynamo"),
    "hw4": ("numpy", "torch"),
    "hw5": ("numpy", "torch"),
    "hw6": ("numpy", "torch"),
}
_LECTURES = ("00", "01", "02", "03", "04", "05", "06", "07", "10", "11", "12")
_MODULES = {f"KD{number}": f"lecture_{number}" for number in _LECTURES}
_MODULES |= _HOMEWORKS


def find_question(id: str) -> Question:
    """Return the question with this id.

    Raises:
        ValueError: There is none; the message names the ids that exist.
    """
    if not isinstance(id, str):
        raise ValueError(
            f"id must be a string such as 'KD02-E3', got {with_article(type_name(id))}"
        )
    loaded = {question.id: question for question in _load(id.partition("-")[0])}
    if id not in loaded:
        check_choice(known_ids(), id=id)
    return loaded[id]


def known_ids() -> tuple[str, ...]:
    """Return every id, in the order of the lectures."""
    return tuple(question.id for prefix in _MODULES for question in _load(prefix))


def find_homework(homework: str) -> Homework:
    """Return the homework with this id, for example ``hw1``.

    Raises:
        ValueError: There is none; the message names those there are.
    """
    check_choice(tuple(_HOMEWORKS), homework=homework)
    return import_module(f"kdlab.grading.questions.{_HOMEWORKS[homework]}").HOMEWORK


def imports_of(homework: str) -> tuple[str, ...]:
    """Return a homework's ``imports`` without loading its questions.

    Raises:
        ValueError: There is no such homework.
    """
    check_choice(tuple(_HOMEWORKS), homework=homework)
    return _IMPORTS[homework]


def homework_id(named: str) -> str:
    """Return the id of a homework that is named by its id or by its notebook."""
    return {module: id for id, module in _HOMEWORKS.items()}.get(named, named)


@cache
def rules() -> str:
    """Return a short text that changes with the questions: what grades were made by."""
    folder = Path(__file__).parent / "questions"
    sources = sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix())
    return sha256("\0".join(path.read_text("utf-8") for path in sources).encode()).hexdigest()[:12]


def known_homeworks() -> tuple[str, ...]:
    """Return every homework's id."""
    return tuple(_HOMEWORKS)


def _load(prefix: str) -> tuple[Question, ...]:
    if prefix not in _MODULES:
        return ()
    return import_module(f"kdlab.grading.questions.{_MODULES[prefix]}").QUESTIONS
