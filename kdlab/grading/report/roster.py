"""The class page's table of students."""

from kdlab.grading.report.page import student_link, table
from kdlab.grading.report.summary import Answer, Row, Summary, Tally
from kdlab.grading.report.text import NAME, line, number
from kdlab.grading.report.words import LOOKS


def roster(summary: Summary) -> str:
    """Return one row a student with a link to the page; headings sort it where scripts run."""
    asked = list(summary.tallies)
    heads = {"student": False, "status": False, "points": True}
    heads |= {_head(tally): True for tally in summary.tallies.values()}
    rows = (_row(index, row, asked) for index, row in enumerate(summary.rows))
    return (
        '<p>A sign beside the points says how the answer ended; "no points" is blank.</p>'
        f"{table('All students', heads, rows, style='students', sortable=True)}"
        '<p class="hidden" role="status"></p>'
    )


def _head(tally: Tally) -> str:
    return f"{line(tally.id, NAME)} ({number(tally.maximum)})"


def _row(index: int, row: Row, asked: list[str]) -> str:
    answers = {} if row.points is None else row.answers
    cells = "".join(_answer(answers.get(id)) for id in asked)
    return (
        f'<tr><th scope="row" data-sort="{index}">'
        f"{student_link(row)}</th>"
        f'<td data-sort="{row.status}">{row.status}</td>'
        f"{_points(row.points)}{cells}</tr>"
    )


def _points(value: float | None) -> str:
    if value is None:
        return '<td class="figure"></td>'
    return f'<td class="figure" data-sort="{value:.4f}">{number(value)}</td>'


def _answer(answer: Answer | None) -> str:
    if answer is None:
        return '<td class="figure"></td>'
    look = LOOKS[answer.status]
    return (
        f'<td class="figure" data-sort="{answer.points:.4f}" title="{answer.status}">'
        f'{number(answer.points)} <span class="sign {look.style}" aria-hidden="true">{look.sign}'
        f'</span> <span class="hidden">{answer.status}</span></td>'
    )
