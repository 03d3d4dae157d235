"""A view as one HTML file that needs no kernel, no server and no network."""

import base64
import json
import os
import re
from html import escape
from pathlib import Path

from anywidget import AnyWidget

import kdlab
from kdlab.widgets._view import STATIC, View

GENERATOR = f'<meta name="generator" content="kdlab {kdlab.__version__}">'
# The first part only, so that a page of another version counts as ours too.
_OURS = '<meta name="generator" content="kdlab '


class PageView(View):
    """A view that computes in the browser, and so can leave the notebook."""

    def save_html(self, path: str | os.PathLike) -> Path:
        """Write the view, as it stands now, as a self-contained page.

        The same module runs in it; sliders work from a file with the network off. A page
        that an earlier call wrote under this name is replaced; any other file is not. The
        file appears under its name when it is whole.

        Args:
            path: Where to write; its folder must exist.

        Returns:
            The path.

        Raises:
            FileExistsError: A file of this name is no page that kdlab wrote.
            OSError: The file cannot be written.
        """
        path = Path(path)
        if path.exists() and not _is_ours(path):
            raise FileExistsError(f"path must not be a file of yours, got {path}: not overwritten")
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_text(page_text(self), "utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path


def page_text(view: View) -> str:
    """Return the page: the still for readers without scripts, state, module, model."""
    template = (STATIC / "page.html").read_text("utf-8")
    parts = {
        "@generator@": GENERATOR,
        "@title@": escape(view.title),
        "@summary@": escape(view.summary()),
        "@css@": view._css,
        "@still@": view.still(),
        "@state@": json.dumps(state_of(view)).replace("<", "\\u003c"),
        "@module@": view._esm.replace("</script", "<\\/script"),
    }
    # One pass: a class may be called "@module@".
    return re.sub("|".join(parts), lambda mark: parts[mark.group()], template)


def state_of(view: View) -> dict:
    """Return what the browser reads: numbers and lists, and buffers as base64."""
    names = set(view.trait_names(sync=True)) - set(AnyWidget.class_trait_names())
    ours = {name: getattr(view, name) for name in sorted(names - {"_esm", "_css", "_anywidget_id"})}
    plain = {name: value for name, value in ours.items() if not isinstance(value, bytes)}
    packed = {
        name: base64.b64encode(value).decode()
        for name, value in ours.items()
        if isinstance(value, bytes)
    }
    return {"plain": plain, "packed": packed}


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _OURS.encode() in file.read(2000)
