"""Hand in the instructor's notebook with other answers, and grade it apart."""

import json
from collections.abc import Mapping

from kdlab.grading.grade import Handed
from kdlab.grading.places import release_path, source_path
from kdlab.grading.pool import Pool, read_release
from kdlab.grading.spec import Homework

Answers = Mapping[str, str]


def grade_styles(homework: Homework, styles: Mapping[str, Answers]) -> dict[str, dict]:
    """Return the result of each style, a mapping from question ids to answers."""
    handed = [_hand_in(homework, *style) for style in styles.items()]
    with Pool(homework, read_release(release_path(homework)), workers=2) as pool:
        return {one.key: result for one, result in pool.run(handed)}


def lost_points(result: dict) -> dict[str, dict]:
    """Return the rows of the questions that didn't get everything."""
    return {row["id"]: row for row in result["questions"] if row["points"] < row["maximum"]}


def _hand_in(homework: Homework, style: str, answers: Answers) -> Handed:
    notebook = json.loads(source_path(homework).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    data = json.dumps(notebook).encode()
    return Handed(style, style, f"{style}.ipynb", (), data, "", len(style))
