"""Results as a table: published beside here."""

from collections.abc import Iterable, Sequence

from kdlab.experiments.forms import check

HEADER = ("", "published", "here", "95 % interval", "seeds")


class Table:
    """Results, shown as a table by a notebook and as columns of text elsewhere.

    Args:
        results: What `results.load` returns.
        rows: Names of the rows to show, in order; None is all.

    Raises:
        ValueError: There is no row of a name, or results aren't any.
    """

    def __init__(self, results: dict, rows: Iterable[str] | None = None) -> None:
        check(results)
        rows = [rows] if isinstance(rows, str) else rows
        texts = results["settings"]["rows"]
        by_name = {row["row"]: row for row in results["rows"]}
        names = list(by_name) if rows is None else list(rows)
        if missing := [name for name in names if name not in by_name]:
            raise ValueError(f"rows must be of {', '.join(by_name)}, got {missing[0]!r}")
        digits = results["settings"].get("digits", 1)
        self.lines = [_cells(texts[name], by_name[name], digits) for name in names]
        self.caption = caption(results)

    def __repr__(self) -> str:
        lines = [HEADER, *self.lines]
        widths = [max(len(line[n]) for line in lines) for n in range(len(HEADER))]
        return "\n".join(_aligned(line, widths) for line in lines) + f"\n\n{self.caption}"

    def _repr_markdown_(self) -> str:
        rule = ("---",) + ("---:",) * (len(HEADER) - 1)
        lines = [HEADER, rule, *self.lines]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{self.caption}"

    @property
    def markdown(self) -> str:
        """The table as Markdown, its caption below."""
        return self._repr_markdown_()


def caption(results: dict) -> str:
    """Say what was counted, and on what it was measured."""
    seeds, torch = len(results["seeds"]), results["versions"]["torch"]
    spent = f"{span(results['seconds'])} of training in all"
    where = f"{results['hardware']}, torch {torch}"
    means = f"Means of {seeds} seeds" if seeds > 1 else "One seed"
    return f"{means}, {results['settings']['counts']}; {spent}, {where}."


def span(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _cells(text: str, row: dict, digits: int) -> tuple[str, ...]:
    published = "" if row["published"] is None else f"{row['published']:g}"
    ends = [f"{end:.{digits}f}" for end in row["interval"] or ()]
    return text, published, f"{row['mean']:.{digits}f}", " to ".join(ends), str(len(row["values"]))


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = line
    cells = [first.ljust(widths[0])]
    cells += [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
    return "  ".join(cells).rstrip()
