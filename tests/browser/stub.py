"""A view with a kernel behind it, shown without one: a stub for its model, on a bare page.

The view's own module runs; what it sends is kept, and a test says what Python would answer.
"""

import json

from kdlab.widgets.page import state_of

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>stub</title>
<style>%(css)s
body { margin: 12px; background: #fff; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { body { background: #111; } .kd { %(dark)s } }
</style></head><body><div id="view"></div><script type="module">
%(module)s
const values = %(state)s;
const listeners = {};
window.sent = [];
window.model = {
  get: (name) => values[name],
  set: (name, value) => { values[name] = value; },
  on: (event, act) => { (listeners[event] ??= []).push(act); },
  off: (event, act) => { listeners[event] = listeners[event].filter((one) => one !== act); },
  send: (message) => window.sent.push(message),
  save_changes: () => window.sent.push({ ...values }),
};
window.tell = (message) => listeners["msg:custom"].forEach((act) => act(message));
window.change = (name, value) => {
  values[name] = value;
  listeners[`change:${name}`].forEach((act) => act());
};
window.close_view = render({ model: window.model, el: document.getElementById("view") });
window.heard = () => Object.values(listeners).flat().length;
</script></body></html>"""
DARK = (
    "--kd-ink: #e8e8e8; --kd-soft: #b0b0b0; --kd-line: #444; --kd-ground: #111; "
    "--kd-focus: #56b4e9; --kd-labels: #999; --kd-cell: #fff;"
)


def open_stub(page, view, path):
    """Show a view on a page from a file, its traits as they stand now."""
    state = json.dumps(state_of(view)["plain"])
    parts = {"css": view._css, "dark": DARK, "module": view._esm, "state": state}
    path.write_text(PAGE % parts, "utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector(f"[data-kd={view.module}]")
    return page


def sent(page, key) -> list:
    """Return all values of a trait, or all buttons, that Python was told."""
    return page.evaluate("key => window.sent.filter((m) => key in m).map((m) => m[key])", key)
