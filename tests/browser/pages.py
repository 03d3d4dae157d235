"""What the tests of exported pages share."""


def settle(page) -> None:
    """Let the frame that a key or the mouse asked for be drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
