"""The command that starts a module of this package in an interpreter of its own."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
# `-I` keeps the caller's folder and environment out. Our own root comes in for this one import,
# so that it is the grader's kdlab, also where another one is installed.
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from kdlab.grading.sandbox import {0}; "
    "sys.path.remove(sys.argv[1]); {0}.main(sys.argv[2])"
)


def start_command(module: str, settings: Mapping[str, object]) -> list[str]:
    """Return what starts ``module.main`` with ``settings`` as JSON text."""
    code = _CODE.format(module)
    return [sys.executable, "-I", "-c", code, str(_ROOT), json.dumps(settings)]
