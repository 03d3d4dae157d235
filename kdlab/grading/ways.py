"""The fair ways to run an answer: with what stands before it, and with what might be missing."""

from dataclasses import dataclass

from kdlab.grading.intake import Answers
from kdlab.grading.judge import Verdict
from kdlab.grading.spec import Homework, Question


@dataclass(frozen=True)
class Way:
    """Cells to run, which earlier answers they use, and after what it is worth a try."""

    cells: list[tuple[str, str]]
    uses: dict[str, str]
    after: str = ""

    def helps(self, best: Verdict) -> bool:
        if best.share == 1 or best.status == "not answered":
            return False
        return {"error": best.status == "error", "cut short": not best.started}.get(
            self.after, True
        )


def ways_to_run(
    question: Question, homework: Homework, answers: Answers, right: set[str]
) -> list[Way]:
    """List the fair ways to run an answer.

    With all earlier answers; with the cells that the student added, where something raised;
    on its own, where an earlier cell ended the process; and with the references of earlier
    answers, where one of them is wrong.
    """
    setup = [(f"set-up {place}", source) for place, source in enumerate(answers.setup, start=1)]
    extras = [(f"added {place}", source) for place, source in enumerate(answers.extras, start=1)]
    earlier = _earlier(question, homework, answers)
    own = (question.id, answers.cells[question.id])
    used = dict.fromkeys(_called(question, homework, answers), "own")
    ways = [Way([*setup, *earlier, own], used)]
    if extras:
        ways.append(Way([*setup, *extras, *earlier, own], used, "error"))
    ways.append(Way([*setup, *_only(earlier, set(used)), own], used, "cut short"))
    if set(used) - right:
        whose = {id: "own" if id in right else "reference" for id in used}
        ways.append(Way([*setup, *_only(earlier, set(used) & right), own], whose))
    return ways


def _called(question: Question, homework: Homework, answers: Answers) -> list[str]:
    """Return the earlier questions whose functions this answer names, or what it calls names."""
    names = {other.id: other.name for other in homework.questions if other.id in question.uses}
    found: set[str] = set()
    texts = [answers.cells[question.id], *answers.extras]
    while texts:
        text = texts.pop()
        new = {id for id, name in names.items() if name in text} - found
        found |= new
        texts += [answers.cells[id] for id in new if id in answers.cells]
    return [id for id in question.uses if id in found]


def _only(cells: list[tuple[str, str]], ids: set[str]) -> list[tuple[str, str]]:
    return [cell for cell in cells if cell[0] in ids]


def _earlier(question: Question, homework: Homework, answers: Answers) -> list[tuple[str, str]]:
    ids = [other.id for other in homework.questions]
    before = ids[: ids.index(question.id)]
    return [(id, answers.cells[id]) for id in before if id in answers.cells]
