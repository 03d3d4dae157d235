"""What the tests of exported pages share."""

import base64

from kdlab.widgets._view import module_text


def call_module(page, names, body, **values):
    """Run `body` with the module of these static files as `kd`, and return what it returns."""
    text = base64.b64encode(module_text(*names).encode()).decode()
    script = (
        f"async ([url, {{ {', '.join(values)} }}]) => {{ const kd = await import(url); {body} }}"
    )
    return page.evaluate(script, [f"data:text/javascript;base64,{text}", values])


def settle(page) -> None:
    """Let the frame that a key or the mouse asked for be drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def overlaps(texts) -> list[list[str]]:
    """Return the pairs of texts that lie on each other."""
    return texts.evaluate_all("""nodes => {
      const boxes = nodes.map((n) => [n.textContent, n.getBoundingClientRect()]);
      const meet = (a, b) => a.left < b.right && b.left < a.right
        && a.top + 2 < b.bottom - 2 && b.top + 2 < a.bottom - 2;
      return boxes.flatMap(([a, one], i) => boxes.slice(i + 1)
        .filter(([, other]) => meet(one, other)).map(([b]) => [a, b]));
    }""")


def drag(page, target, across, down) -> None:
    """Drag an element's middle so many pixels to the right and downwards."""
    box = target.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across / 2, y + down / 2)
    page.mouse.move(x + across, y + down)
    page.mouse.up()
    settle(page)


def check_page(page, name, folder) -> None:
    """Save pictures; nothing clipped or on top of another, every control named and guarded."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (900, 380):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert overlaps(page.locator(".kd-chart .kd-tick:visible, .kd-name:visible")) == []
            page.screenshot(path=folder / f"page_{name}_{scheme}_{width}.png", full_page=True)
    controls = page.locator("input, select, button, [tabindex]")
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    assert controls.count() > 5 and controls.evaluate_all(unguarded) == 0
    nameless = "nodes => nodes.filter((n) => !(n.ariaLabel || n.labels?.length)).length"
    # The live region has none.
    named = page.locator(":is(select, button, input, table, [role]):not([role=status])")
    assert named.evaluate_all(nameless) == 0
