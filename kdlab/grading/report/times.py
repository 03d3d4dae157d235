"""The class page's times, and how well the grader was walled off."""

from collections import Counter
from statistics import median

from kdlab.grading.report.page import student_link, table
from kdlab.grading.report.summary import Summary, Tally
from kdlab.grading.report.text import headline, line, seconds

_SLOWEST = 5
_COMMAND = "<code>python -m kdlab.grading doctor</code>"


def times(summary: Summary) -> str:
    """Return the median and the slowest, of submissions and of questions."""
    if not summary.counted:
        return "<p>No times yet.</p>"
    slowest = sorted(summary.counted, key=lambda row: -row.seconds)[:_SLOWEST]
    links = "".join(f"<li>{student_link(row)}: {seconds(row.seconds)}</li>" for row in slowest)
    middle = seconds(median(row.seconds for row in summary.counted))
    heads = {"question": False, "median": True, "slowest": True}
    rows = (_times_row(tally) for tally in summary.tallies.values())
    return (
        f"<p>A submission took {middle} (median). The slowest:</p><ul>{links}</ul>"
        f"{table('Times by question', heads, rows)}"
    )


def unisolated_box(summary: Summary) -> str:
    """Return a warning where a student's code ran without walls, else nothing."""
    bare = sum(row.unisolated for row in summary.rows)
    if not bare:
        return ""
    return (
        '<div class="warning" role="note"><h2>Grades without isolation</h2>'
        f"<p>{bare} of {len(summary.rows)} submissions ran unisolated: nothing kept the students' "
        "code from this computer's files, from the network, or from other submissions. "
        "Do not publish these grades before a person has looked at them.</p>"
        f"<p>Run the grader on Linux; {_COMMAND} says which walls this computer has and what it "
        "lacks. Then grade again.</p></div>"
    )


def isolation_lines(summary: Summary) -> str:
    """Return how many submissions were isolated by what."""
    found = Counter(line(row.isolation) or "nothing was run" for row in summary.rows)
    items = "".join(
        f"<li>{count} of {len(summary.rows)}: {how}</li>" for how, count in found.items()
    )
    return f"<ul>{items}</ul><p>{_COMMAND} says what this computer has.</p>"


def _times_row(tally: Tally) -> str:
    return (
        f'<tr><th scope="row">{headline(tally.id, tally.title)}</th>'
        f'<td class="figure">{seconds(median(tally.seconds))}</td>'
        f'<td class="figure">{seconds(max(tally.seconds))}</td></tr>'
    )
