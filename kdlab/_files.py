"""Files that are whole or not there: written under another name, then renamed."""

import contextlib
import json
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a text so that a reader sees the old or the new one, and nothing between."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def write_json(path: Path, content: object) -> None:
    """Write JSON as `write_text` does; what isn't valid text is replaced."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    write_text(path, text.encode("utf-8", errors="replace").decode() + "\n")


def read_json(path: Path) -> dict:
    """Read a JSON object.

    Raises:
        ValueError: The file holds no JSON object; the message names it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content
