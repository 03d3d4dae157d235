"""The notebook that an assistant opens beside the grade: the release and the answers."""

import copy

from kdlab.grading.intake.answers import Answers


def rebuild(release_json: dict, answers: Answers) -> dict:
    """Return the release with the answers put in; nothing else of the student's is taken over.

    Args:
        release_json: The release notebook as JSON; it is left unchanged.
        answers: What `pick_answers` found.

    Returns:
        A notebook as JSON, without outputs. Cells that the student added follow the set-up.
    """
    clean = copy.deepcopy(release_json)
    for cell in clean["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
        question = _flags(cell).get("grade_id")
        if _flags(cell).get("solution") is True and question in answers.cells:
            cell["source"] = answers.cells[question]
    place = 1 + max([i for i, cell in enumerate(clean["cells"]) if _is_setup(cell)], default=-1)
    with_ids = clean.get("nbformat_minor", 0) >= 5
    extras = [_extra(n, source, with_ids) for n, source in enumerate(answers.extras, 1)]
    clean["cells"][place:place] = extras
    return clean


def _extra(number: int, source: str, with_id: bool) -> dict:
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": ["added-by-student"]},
        "outputs": [],
        "source": source,
    }
    return {"id": f"added-by-student-{number}", **cell} if with_id else cell


def _flags(cell: dict) -> dict:
    return cell["metadata"].get("nbgrader", {})


def _is_setup(cell: dict) -> bool:
    flags = _flags(cell)
    return cell["cell_type"] == "code" and bool(flags.get("locked")) and not flags.get("grade")
