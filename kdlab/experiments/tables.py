"""Results as a table: published beside here."""

from collections.abc import Sequence

HEADER = ("", "published", "here", "95 % interval", "seeds")


def rows(results: dict) -> list[tuple[str, ...]]:
    """Return the cells of each line, as text."""
    texts = results["settings"]["rows"]
    return [
        (
            texts[row["row"]],
            "" if row["published"] is None else f"{row['published']:g}",
            f"{row['mean']:.1f}",
            "" if row["interval"] is None else "{:.1f} to {:.1f}".format(*row["interval"]),
            str(len(row["values"])),
        )
        for row in results["rows"]
    ]


def as_text(results: dict) -> str:
    """Return the table in columns."""
    lines = [HEADER, *rows(results)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADER))]
    return "\n".join(_aligned(line, widths) for line in lines)


def as_markdown(results: dict) -> str:
    """Return the table as Markdown."""
    rule = ("---",) + ("---:",) * (len(HEADER) - 1)
    lines = [HEADER, rule, *rows(results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def caption(results: dict) -> str:
    """Say on what it was measured."""
    seeds, torch = len(results["seeds"]), results["versions"]["torch"]
    spent = f"{span(results['seconds'])} of training in all"
    return f"{seeds} seeds, {spent}, {results['hardware']}, torch {torch}."


def span(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = line
    cells = [first.ljust(widths[0])]
    cells += [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
    return "  ".join(cells).rstrip()
