"""Python from a stranger: which names a cell binds, without running it and within bounds."""

import ast
import re
import warnings
from collections.abc import Iterator

# Measured: 50,000 characters of the worst code take 50 MB and a second to parse.
LONGEST_PARSED = 50_000
_MOST_PARSED = 400_000
_BINDING = re.compile(
    r"^(?:(?:async[ \t]+)?def[ \t]+|class[ \t]+|(?=[^\W\d]\w*[ \t]*=[^=]))([^\W\d]\w*)", re.M
)
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class Parser:
    """Parse cells until a total is spent, so that no notebook takes long."""

    def __init__(self, most: int = _MOST_PARSED) -> None:
        self.left = most

    def parse(self, source: str) -> ast.Module | SyntaxError | None:
        """Return the tree, the syntax error, or None where we can't know."""
        self.left -= len(source)
        if len(source) > LONGEST_PARSED or self.left < 0:
            return None
        with warnings.catch_warnings():
            # "\d" in a student's text is no concern of the assistant's.
            warnings.simplefilter("ignore")
            try:
                return ast.parse(source)
            except SyntaxError as error:
                return error
            except (RecursionError, MemoryError, ValueError):
                return None


def bound_names(tree: ast.Module | SyntaxError | None, source: str) -> frozenset[str]:
    """Return what the cell defines at top level, imports apart.

    Where it can't be parsed this is a guess by its lines.
    """
    if not isinstance(tree, ast.Module):
        return frozenset(_BINDING.findall(source))
    return frozenset(name for statement in _statements(tree) for name in _bound(statement))


def only_checks(tree: ast.Module | SyntaxError | None) -> bool:
    """Tell if the cell does nothing, or nothing but call check."""
    return isinstance(tree, ast.Module) and all(map(_is_check, tree.body))


def without_names(tree: ast.Module, source: str, names: frozenset[str]) -> str:
    """Return the cell without the top-level statements that bind nothing but these names."""
    lines = source.split("\n")
    for statement in tree.body:
        bound = set(_bound(statement))
        if bound and bound <= names:
            decorators = getattr(statement, "decorator_list", [])
            start = min([statement.lineno, *(each.lineno for each in decorators)])
            for line in range(start - 1, statement.end_lineno):
                lines[line] = ""
    return "\n".join(lines)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Go through statements at top level and in its blocks, not into functions."""
    waiting = list(tree.body)
    while waiting:
        statement = waiting.pop()
        yield statement
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in _BLOCKS:
                waiting += getattr(statement, block, [])


def _bound(statement: ast.AST) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = getattr(statement, "targets", None) or [statement.target]
        for node in (node for target in targets for node in ast.walk(target)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _is_check(statement: ast.stmt) -> bool:
    node = statement.value if isinstance(statement, ast.Expr) else None
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check":
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    # A comment of the student's in quotes does nothing either.
    return isinstance(node, ast.Constant) or isinstance(statement, ast.Pass)
