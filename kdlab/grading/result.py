"""What `check` says, as plain text and as HTML."""

from dataclasses import dataclass
from html import escape


class NotRight(AssertionError):
    """Raised by `CheckResult.require`; a notebook shows the sentence without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


_LOOKS = {
    "right": ("✓", "--jp-success-color1", "#2e7d32"),
    "wrong": ("✗", "--jp-error-color1", "#c62828"),
    "error": ("⚠", "--jp-warn-color1", "#b26a00"),
    "not answered": ("…", "--jp-border-color1", "#757575"),
}
_PRE = (
    "margin:0;padding:2px 6px;white-space:pre-wrap;overflow-wrap:anywhere;max-height:16em;"
    "overflow:auto;font-family:var(--jp-code-font-family,monospace);"
    "color:var(--jp-content-font-color1,inherit);background:var(--jp-layout-color2,transparent)"
)


@dataclass(frozen=True)
class CheckResult:
    """The answer to one answer. All fields are plain text.

    Attributes:
        id: The question's id.
        status: "right", "wrong", "error" or "not answered".
        message: One sentence.
        case: The call that it is about, or "".
        expected: What the reference gives there, or "".
        got: What came, or "".
        cause: The likely cause, or "".
    """

    id: str
    status: str
    message: str
    case: str = ""
    expected: str = ""
    got: str = ""
    cause: str = ""

    def require(self) -> None:
        """Raise unless the answer is right, so that "Validate" and scripts see it.

        Raises:
            NotRight: With everything that the result would show.
        """
        if self.status != "right":
            raise NotRight(repr(self))
        print(self)

    @property
    def headline(self) -> str:
        """Return id and message; the status stands in it as a word."""
        said = {"wrong": "wrong: ", "error": "error: "}.get(self.status, "")
        return f"{self.id}: {said}{self.message}"

    def __repr__(self) -> str:
        rows = [_row(name, text) for name, text in self._rows()]
        return "\n".join([self.headline, *rows])

    def _repr_html_(self) -> str:
        sign, variable, fallback = _LOOKS[self.status]
        colour = f"var({variable},{fallback})"
        rows = "".join(_html_row(name, text) for name, text in self._rows())
        return (
            f'<div role="group" aria-label="Check of {escape(self.id)}" style="border-left:4px '
            f"solid {colour};padding:4px 12px;color:var(--jp-content-font-color1,inherit);"
            f'font-family:var(--jp-content-font-family,sans-serif)">'
            f'<div><span aria-hidden="true" style="color:{colour};font-weight:bold">{sign}</span> '
            f"<strong>{escape(self.headline)}</strong></div>"
            f"{rows}</div>"
        )

    def _rows(self) -> list[tuple[str, str]]:
        named = {
            "case": self.case,
            "expected": self.expected,
            "got": self.got,
            "likely cause": self.cause,
        }
        return [(name, text) for name, text in named.items() if text]


def _row(name: str, text: str) -> str:
    indent = "\n" + " " * 16
    return f"  {name:<14}{indent.join(text.splitlines())}"


def _html_row(name: str, text: str) -> str:
    body = f'<pre style="{_PRE}">{escape(text)}</pre>'
    if name == "likely cause":
        body = f"<div>{escape(text)}</div>"
    return (
        '<div style="display:flex;gap:8px;margin-top:4px">'
        f'<div style="flex:0 0 6.5em;color:var(--jp-content-font-color2,inherit)">{name}</div>'
        f'<div style="flex:1;min-width:0">{body}</div></div>'
    )
