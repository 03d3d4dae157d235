"""The class page's questions: how hard each was, how it ended, what went wrong."""

from kdlab.grading.report.chart import stack
from kdlab.grading.report.page import counts
from kdlab.grading.report.summary import Summary, Tally
from kdlab.grading.report.text import NAME, headline, line, percent
from kdlab.grading.report.words import STATUSES, verdict

_MOST_MISTAKES = 6


def question_cards(summary: Summary) -> str:
    """Return one card a question, the lowest mean share of points first."""
    hardest = sorted(summary.tallies.values(), key=lambda tally: tally.share)
    if not hardest:
        return ""
    # A sign is underlined in the colour that its part of the bar has.
    legend = "".join(f"<li>{verdict(name)}</li>" for name in STATUSES)
    cards = "\n".join(_card(index, tally) for index, tally in enumerate(hardest))
    return (
        '<p>The bar shows how the answers ended; the numbers below it say the same. "Mean" is the '
        "mean share of the question's points.</p>"
        f'<ul class="legend small" aria-label="Signs of the bars">{legend}</ul>{cards}'
    )


def _card(index: int, tally: Tally) -> str:
    return (
        f'<article class="card" aria-labelledby="hard-{index}"><div class="head">'
        f'<h3 id="hard-{index}">{headline(tally.id, tally.title)}</h3>'
        f"<p>mean <strong>{percent(tally.share)}</strong></p>"
        f"</div>{stack(tally.statuses)}{counts(tally.statuses)}{_mistakes(tally)}</article>"
    )


def _mistakes(tally: Tally) -> str:
    if not tally.mistakes:
        return ""
    total = sum(tally.statuses.values())
    shown = tally.mistakes.most_common(_MOST_MISTAKES)
    items = "".join(
        f"<li><strong>{line(mistake, NAME)}</strong>: {count} of {total} "
        f"({percent(count / total)}). {line(tally.causes[mistake])}</li>"
        for mistake, count in shown
    )
    rest = len(tally.mistakes) - len(shown)
    more = f'<p class="small muted">{rest} rarer ones are left out.</p>' if rest else ""
    return f"<h4>Commonest mistakes</h4><ul>{items}</ul>{more}"
