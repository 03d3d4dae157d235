"""The page for the class: first what needs a person, then points, questions and students."""

from kdlab.grading.report.chart import bins, histogram
from kdlab.grading.report.page import folded, notebook_link, page, student_link, table
from kdlab.grading.report.questions import question_cards
from kdlab.grading.report.roster import roster
from kdlab.grading.report.summary import Row, Summary
from kdlab.grading.report.text import NAME, line, moment, number
from kdlab.grading.report.times import isolation_lines, times, unisolated_box
from kdlab.grading.report.words import OUTCOMES

_SHOWN = 20
_NO_POINTS = "<p>Nothing is graded yet, so there is nothing to show.</p>"


def class_page(summary: Summary) -> str:
    """Return the page that a teacher opens first."""
    sections = {
        "Needs a person": _person(summary),
        "Points": _points(summary),
        "Questions, hardest first": question_cards(summary) or _NO_POINTS,
        "Times": times(summary),
        "Isolation": isolation_lines(summary),
        "Students": roster(summary),
    }
    parts = [_head(summary), unisolated_box(summary), _contents(list(sections))]
    parts += map(_section, range(len(sections)), sections, sections.values())
    return page(f"{line(summary.homework, NAME)}: grades", "\n".join(parts), sortable=True)


def _section(index: int, title: str, content: str) -> str:
    return (
        f'<section aria-labelledby="section-{index}"><h2 id="section-{index}">{title}</h2>'
        f"{content}</section>"
    )


def _head(summary: Summary) -> str:
    tiles = "".join(
        f"<li><strong>{len(summary.of_status(status))}</strong> {status}</li>"
        for status in OUTCOMES
    )
    latest = max((row.graded for row in summary.rows), default="")
    when = f", the last graded {moment(latest)}" if latest else ""
    return (
        f"<h1>Homework {line(summary.homework, NAME)}: grades</h1>"
        f'<p class="muted">{_many(len(summary.rows), "submission")}{when}. '
        f'The same as a spreadsheet: <a href="../grades.csv">grades.csv</a>.</p>'
        f'<ul class="tiles">{tiles}</ul>'
    )


def _contents(titles: list[str]) -> str:
    links = (f'<li><a href="#section-{i}">{title}</a></li>' for i, title in enumerate(titles))
    return f'<nav aria-label="On this page"><ul>{"".join(links)}</ul></nav>'


def _person(summary: Summary) -> str:
    lists = {
        "not graded": "Not graded: no points, and no zero",
        "check by hand": "Check by hand: the points count, but look at them",
    }
    parts = [
        _reasons(caption, rows)
        for status, caption in lists.items()
        if (rows := summary.of_status(status))
    ]
    noted = any(row.notes for row in summary.rows)
    hint = "<p>Cell numbers in notes are those of the file as handed in.</p>" if noted else ""
    return hint + "".join(parts) or "<p>Nobody: every submission was graded without a doubt.</p>"


def _reasons(caption: str, rows: list[Row]) -> str:
    listed = [_reason(row) for row in rows]
    first, rest = listed[:_SHOWN], listed[_SHOWN:]
    others = folded(f"{len(rest)} more", _list(rest)) if rest else ""
    return f"<h3>{caption}</h3>{_list(first)}{others}"


def _list(items: list[str]) -> str:
    return f'<ul class="reasons">{"".join(items)}</ul>'


def _reason(row: Row) -> str:
    reason = line(row.reason) or "No reason is recorded; see the notes on the page."
    notes = "".join(f'<span class="note">{line(note)}</span> ' for note in row.notes)
    return (
        f"<li><span>{student_link(row)}</span> <span>{reason} {notes}"
        f'<span class="note small muted">{_file(row)}</span></span></li>'
    )


def _file(row: Row) -> str:
    file = f"File: {line(row.file)}" if row.file else ""
    # Where nothing is graded, no answers were taken that one could look at.
    if not row.notebook or row.status != "check by hand":
        return file
    return f"{file}{', ' if file else ''}{notebook_link(row)}"


def _points(summary: Summary) -> str:
    points = [row.points for row in summary.counted]
    if not points:
        return _NO_POINTS
    mean = number(sum(points) / len(points))
    return (
        f"<p>The median is <strong>{number(summary.median)}</strong> of "
        f"{number(summary.maximum)} points, the mean {mean}; the lowest {number(min(points))}, "
        f"the highest {number(max(points))}. Those not graded are left out.</p><figure>"
        f"{histogram(points, summary.maximum, summary.median)}<figcaption>Number of students by "
        "points; the dashed line is the median.</figcaption></figure>"
        f"{folded('The same as a table', _bins(points, summary.maximum))}"
    )


def _bins(points: list[float], maximum: float) -> str:
    found = bins(points, maximum)
    rows = (
        f'<tr><th scope="row">{number(low)} to {"" if high == found[-1][1] else "under "}'
        f'{number(high)}</th><td class="figure">{students}</td></tr>'
        for low, high, students in found
    )
    return table("Students by points", {"points": False, "students": True}, rows)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
