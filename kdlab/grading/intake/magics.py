"""IPython's own syntax in a cell, commented out so that plain Python can run the rest."""

import ast
import re

from kdlab.grading.intake.code import Parser

_MAGIC = re.compile(r"\s*+(?:[%!?]|[\w., \t\[\]'\"]++=\s*+[%!])")
# Cell magics after which the rest of the cell is no Python of this kernel.
_FOREIGN = re.compile(
    r"\s*%%(?:!|bash|sh|cmd|script|system|sx|html|svg|latex|markdown|js|javascript|perl|ruby|R|"
    r"julia|writefile|file|python2|pypy|cython|sql)\b"
)
_TIMED = re.compile(r"%time\s+([A-Za-z_][^#%!]*)$")
_MOST = 50


def without_magics(source: str, parser: Parser) -> tuple[str, ast.AST | SyntaxError | None, int]:
    """Comment out magics, shell lines and questions, if the cell is no Python as it stands.

    Args:
        source: The cell.
        parser: What it may cost.

    Returns:
        The cell as it can run, its tree or the syntax error that is left, and how many lines
        were commented out.
    """
    lines, changed = source.split("\n"), 0
    for _ in range(_MOST):
        text = "\n".join(lines)
        tree = parser.parse(text)
        count = _comment_out(lines, tree.lineno) if isinstance(tree, SyntaxError) else 0
        if not count:
            return text, tree, changed
        changed += count
    text = "\n".join(lines)
    return text, parser.parse(text), changed


def _comment_out(lines: list[str], number: int | None) -> int:
    """Comment out the line in which the parser stopped, if it is a magic; return how many."""
    start = (number or 0) - 1
    if not (0 <= start < len(lines) and _is_magic(lines[start])):
        return 0
    end = start + 1
    while end < len(lines) and lines[end - 1].endswith("\\"):
        end += 1
    if _FOREIGN.match(lines[start]):
        end = len(lines)
    rest = [f"# {line}" for line in lines[start + 1 : end]]
    lines[start:end] = [_as_comment(lines[start]), *rest]
    return end - start


def _is_magic(line: str) -> bool:
    if line.lstrip().startswith(("#", "pass  #")):
        return False
    return bool(_MAGIC.match(line)) or line.rstrip().endswith("?")


def _as_comment(line: str) -> str:
    text = line.lstrip()
    indent = line[: len(line) - len(text)]
    if timed := _TIMED.match(text):
        # What is timed may be an assignment that the answer needs.
        return f"{indent}{timed[1]}  # {timed[0][: -len(timed[1])].strip()}"
    # A block must not become empty.
    return f"{indent}pass  # {text}" if indent else f"# {text}"
