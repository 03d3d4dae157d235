"""The page for one student; it names nobody else."""

import shlex

from kdlab.grading.report.chart import meter
from kdlab.grading.report.page import folded, page, table
from kdlab.grading.report.reading import QuestionResult, Result
from kdlab.grading.report.text import (
    NAME,
    OUTPUT,
    VALUE,
    block,
    headline,
    line,
    moment,
    name,
    number,
    percent,
)
from kdlab.grading.report.words import LOOKS, verdict

_OUTCOMES = {
    "graded": "Graded.",
    "check by hand": "Graded, and a person looks at it once more. The points below count.",
    "not graded": "Not graded. This is no zero: there are no points yet. "
    "Ask your teacher how to hand in again.",
}


def student_page(result: Result) -> str:
    """Return what one student is told about each question, and how the grade came about."""
    parts = [_head(result), _notes(result)]
    if result.questions:
        parts += [_overview(result), "<h2>Questions</h2>"]
        others = {question.id: question for question in result.questions}
        parts += [_question(i, asked, others) for i, asked in enumerate(result.questions, 1)]
    title = f"{line(result.homework, NAME)}: {line(result.name, NAME)}"
    return page(title, "\n".join([*parts, _origin(result)]), style="narrow")


def _head(result: Result) -> str:
    points = "<p><strong>No points yet.</strong></p>"
    if result.points is not None:
        worth = f"{number(result.points)} of {number(result.maximum)} points"
        points = f"<p><strong>{worth}</strong></p>{meter(result.points, result.maximum)}"
    reason = f"<p>{line(result.reason)}</p>" if result.reason else ""
    box = "" if result.status == "graded" else ' class="warning"'
    return (
        f'<p class="muted">Homework {line(result.homework, NAME)}</p>'
        f"<h1>{name(result.name)}</h1>{points}"
        f"<div{box}><p>{_OUTCOMES[result.status]}</p>{reason}</div>"
    )


def _notes(result: Result) -> str:
    items = "".join(f"<li>{line(note)}</li>" for note in result.notes)
    return f"<h2>Notes</h2><ul>{items}</ul>" if items else ""


def _overview(result: Result) -> str:
    rows = (
        f'<tr><th scope="row"><a href="#question-{index}">{headline(asked.id, asked.title)}</a>'
        f'</th><td>{verdict(asked.status)}</td><td class="figure">{number(asked.points)} of '
        f"{number(asked.maximum)}</td></tr>"
        for index, asked in enumerate(result.questions, 1)
    )
    heads = {"question": False, "answer": False, "points": True}
    return f"<h2>Overview</h2>{table('Points by question', heads, rows)}"


def _question(index: int, asked: QuestionResult, others: dict[str, QuestionResult]) -> str:
    look = LOOKS[asked.status]
    label = f"Cases of {line(asked.id, NAME)}"
    said = f"<p><strong>{line(asked.message)}</strong></p>" if asked.message else ""
    return (
        f'<article class="card {look.style}" aria-labelledby="question-{index}">'
        f'<div class="head"><h3 id="question-{index}">{headline(asked.id, asked.title)}</h3>'
        f"<p>{verdict(asked.status)}, {number(asked.points)} of {number(asked.maximum)} "
        f"points</p></div>{said}{_help(asked)}{_values(asked)}{_uses(asked, others)}"
        f"{_cases(label, asked)}{_output(asked.output)}</article>"
    )


def _help(asked: QuestionResult) -> str:
    look = LOOKS[asked.status]
    # A cause says that there is some answer, so it was not left as it was handed out.
    if not look.meaning or (asked.status == "not answered" and asked.cause):
        return ""
    advice = look.advice if asked.case or not look.needs_case else ""
    if look.needs_case and _is_short(asked.case):
        advice = "The call is shown shortened."
    return f"<p>{look.meaning} {advice}</p>"


def _is_short(case: str) -> bool:
    return "..." in case or "\u2026" in case or len(case) > VALUE


def _values(asked: QuestionResult) -> str:
    shown = {"the call": asked.case, "what was expected": asked.expected, "what came": asked.got}
    rows = [
        f"<dt>{label}</dt><dd><pre>{block(text, VALUE)}</pre></dd>"
        for label, text in shown.items()
        if text
    ]
    if asked.cause or asked.mistake:
        cause = ": ".join(line(text) for text in (asked.mistake, asked.cause) if text)
        rows.append(f"<dt>likely cause</dt><dd>{cause}</dd>")
    return f'<dl class="values">{"".join(rows)}</dl>' if rows else ""


def _uses(asked: QuestionResult, others: dict[str, QuestionResult]) -> str:
    texts = [_use(id, whose, others.get(id)) for id, whose in asked.uses.items()]
    return "".join(f'<p class="small muted">{text}</p>' for text in texts if text)


def _use(id: str, whose: str, earlier: QuestionResult | None) -> str:
    about = line(id, NAME)
    if earlier and earlier.title:
        about += f" ({line(earlier.title, NAME)})"
    if whose == "own":
        # A right answer of one's own is what everyone expects; saying so is noise.
        right = earlier and earlier.status == "right"
        return "" if right else f"Graded with your own answer to {about}."
    since = ", since yours is not right" if earlier and earlier.status != "right" else ""
    return (
        f"Graded with the reference's answer to {about}{since}: "
        "a mistake there costs no points here."
    )


def _cases(label: str, asked: QuestionResult) -> str:
    cases = asked.cases
    # Of a question that was left open, no case was tried.
    if not cases or (asked.status == "not answered" and not asked.cause):
        return ""
    whole = sum(case.weight for case in cases) or 1
    rows = (
        f'<tr><th scope="row">{line(case.name)}</th>'
        f"<td>{verdict('right' if case.right else 'wrong')}</td>"
        f'<td class="figure">{percent(case.weight / whole)}</td>'
        f"<td>{line(case.message)}</td></tr>"
        for case in cases
    )
    heads = {"case": False, "answer": False, "share": True, "message": False}
    right = sum(case.right for case in cases)
    return folded(f"Cases: {right} of {len(cases)} right", table(label, heads, rows))


def _output(output: str) -> str:
    if not output:
        return ""
    return folded("What your code printed", f'<pre tabindex="0">{block(output, OUTPUT)}</pre>')


def _origin(result: Result) -> str:
    facts = _facts(result).items()
    rows = "".join(f"<dt>{label}</dt><dd>{fact}</dd>" for label, fact in facts if fact)
    return (
        "<h2>How this grade came about</h2><p>The inputs of the cases are drawn from "
        "the seed. The same file, seed and versions give the same points; your teacher repeats it "
        f'with the command below.</p><dl class="values small">{rows}</dl>'
    )


def _facts(result: Result) -> dict[str, str]:
    command = f"python -m kdlab.grading regrade GRADES --student {shlex.quote(result.key)}"
    # The folders may tell of others.
    file = result.file.replace("\\", "/").rpartition("/")[2]
    return {
        "file": line(file),
        "digest (SHA-256)": f"<code>{line(result.digest, NAME)}</code>" if result.digest else "",
        "seed": "none" if result.seed is None else f"<code>{result.seed}</code>",
        "graded": f"{moment(result.graded)}, in {number(result.seconds)} s",
        "isolation": line(result.isolation),
        "versions": line(", ".join(f"{key} {value}" for key, value in result.versions.items())),
        "again": f"<pre>{block(command)}</pre>",
    }
