"""Small notebooks and places of submissions."""

import io
import json
import zipfile
from pathlib import Path

from kdlab.grading.intake import Submission, find_submissions

NAMES = {"name": "hw1_temperature", "homework": "hw1"}


def code(source, id=None, **flags) -> dict:
    nbgrader = {"schema_version": 3, **flags} if flags else None
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    cell = {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [{"x": 1}]}
    return {**cell, "execution_count": 3, **({"id": id} if id else {})}


def answer(source, question) -> dict:
    return code(source, question, grade=False, solution=True, locked=False, grade_id=question)


def locked(source, id, grade=False) -> dict:
    return code(source, id, grade=grade, solution=False, locked=True, grade_id=id)


def notebook(*cells, **changes) -> dict:
    found = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    return {**found, **changes}


def as_bytes(found) -> bytes:
    return json.dumps(found).encode()


def zipped(files, method=zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of (name or ZipInfo, bytes) pairs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def put(place: Path, **files: bytes) -> None:
    """Write files; their paths are keys."""
    for name, data in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def find(place: Path) -> list[Submission]:
    return find_submissions(place, **NAMES)


def read_all(place: Path) -> dict[str, bytes]:
    """Return what every student's file holds."""
    return {each.student: each.read() for each in find(place)}
