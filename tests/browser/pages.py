"""What the tests of exported pages share."""


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
