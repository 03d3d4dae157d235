"""Tell what a view or a measure is, its code included, so that a changed one is run anew."""

import ast
import inspect
import textwrap
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from hashlib import sha256


def told(**named: object) -> dict | None:
    """Return the class, the code and the settings of a view or a measure, as JSON holds them.

    What its code calls elsewhere isn't told: give the class another name when that changes.

    Raises:
        ValueError: It is neither None nor an instance of a dataclass that can be called.
    """
    [(name, part)] = named.items()
    if part is None:
        return None
    if not is_dataclass(part) or isinstance(part, type) or not callable(part):
        wanted = "an instance of a dataclass with __call__"
        raise ValueError(f"{name} must be {wanted}, got {part!r}")
    return {"is": type(part).__name__, "code": code_of(type(part))} | asdict(part)


@lru_cache
def code_of(kind: type) -> str:
    """Return a short text that differs where the code of two classes does.

    Comments, layout and docstrings don't count; a class that was typed at a prompt has none.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except OSError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return sha256(ast.unparse(tree).encode()).hexdigest()[:8]
