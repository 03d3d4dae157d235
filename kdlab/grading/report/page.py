"""The shell of a page, and the pieces that both kinds of page are made of."""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import quote

import kdlab
from kdlab.grading.report.summary import Row
from kdlab.grading.report.text import NAME, line, name
from kdlab.grading.report.words import LOOKS, verdict

_STATIC = Path(__file__).parent / "static"
GENERATOR = f'<meta name="generator" content="kdlab.grading {kdlab.__version__}">'


def page(title: str, body: str, *, style: str = "", sortable: bool = False) -> str:
    """Return a self-contained page that loads nothing and runs our one script at most.

    Args:
        title: Escaped.
        body: HTML, what is untrusted in it escaped.
        style: Class of the page.
        sortable: If the script that sorts tables is put in; the policy names its hash.
    """
    script = _static("sort.js") if sortable else ""
    return Template(_static("page.html")).substitute(
        title=title,
        body=body,
        main=style,
        generator=GENERATOR,
        style=_static("report.css"),
        script=f"<script>{script}</script>" if script else "",
        script_source=_source(script) if script else "'none'",
    )


def table(
    caption: str,
    headings: dict[str, bool],
    rows: Iterable[str],
    *,
    style: str = "",
    sortable: bool = False,
) -> str:
    """Return a table that scrolls in itself, with the keyboard too.

    Args:
        caption: Escaped; names the table for everyone.
        headings: Escaped heading -> if its column holds numbers.
        rows: ``<tr>``s.
        style: Class of the table.
        sortable: If the script makes buttons of the headings.
    """
    numeric = {True: ' class="figure"', False: ""}
    heads = "".join(
        f'<th scope="col"{numeric[kind]}>{text}</th>' for text, kind in headings.items()
    )
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">'
        f'<table class="{style}"{" data-sortable" if sortable else ""}><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def student_link(row: Row) -> str:
    """Return the link from the class page to a student's page, with the key if it is needed."""
    key = f' <span class="muted small">{line(row.key, NAME)}</span>' if row.shared else ""
    return f'<a href="students/{quote(row.key)}.html">{name(row.name)}</a>{key}'


def notebook_link(row: Row) -> str:
    """Return the link from the class page to the clean notebook."""
    return f'<a href="../notebooks/{quote(row.key)}.ipynb">notebook</a>'


def folded(summary: str, content: str) -> str:
    """Return content that opens with a click or Enter."""
    return f"<details><summary>{summary}</summary>{content}</details>"


def counts(statuses: dict[str, int]) -> str:
    """Return how often each status occurs, in the order of the legend."""
    items = (f"<li>{verdict(key)}: {statuses[key]}</li>" for key in LOOKS if statuses.get(key))
    return f'<ul class="counts small">{"".join(items)}</ul>'


@cache
def _static(file: str) -> str:
    return (_STATIC / file).read_text("utf-8").strip()


def _source(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
