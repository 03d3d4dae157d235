"""explore_paths in a real Chromium: its numbers against Python's, toggles, keys, drag."""

import random
from pathlib import Path

import pytest
from pages import overlaps, settle

from kdlab.schemes.paths import all_paths, prefixes
from kdlab.widgets import _path_words, explore_paths
from kdlab.widgets._paths import compare

pytestmark = pytest.mark.browser

FILES = ("paths", "explore_paths")

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
SIZES = (10, 8, 6, 4, 2)
FIELDS = ["mean", "deviation", "difference", "standardError", "apart", "rank", "networks"]


def draw_results(sizes=SIZES, *, seeds=5, seed=0, most=4000):
    """Random errors, some equal, so that ties and zero spreads come up."""
    draw = random.Random(seed)
    return {
        path: [round(draw.gauss(1600 - 140 * len(path), 160)) % most for _ in range(seeds)]
        for path in all_paths(sizes)
    }


RESULTS = draw_results()
ALONE = {size: [1000 + 60 * (10 - size) + 7 * seed for seed in range(3)] for size in SIZES}


def make(**more):
    return explore_paths(RESULTS, **{"examples": 10_000, "labels_only": ALONE, **more})


CASES = [
    draw_results(SIZES[-sizes:], seeds=seeds, seed=seeds, most=most)
    for sizes in (2, 3, 4, 5)
    for seeds in (1, 2, 5)
    for most in (3, 4000)
]


@pytest.mark.parametrize("results", CASES)
def test_every_number_and_every_sentence_is_python_s(call, results):
    sent = [{"path": [*path], "errors": errors} for path, errors in results.items()]
    body = """
        const compared = kd.comparePaths(results);
        return compared.map((one) => [one.path, fields.map((name) => one[name]), one.alike,
                                      kd.tellPath(one.path, compared, 10000)]);"""
    got = call(body, results=sent, fields=FIELDS)
    expected = compare(results)
    assert [tuple(path) for path, *_ in got] == [*expected]
    seeds = len(sent[0]["errors"])
    for (_, numbers, alike, told), (path, result) in zip(got, expected.items(), strict=True):
        assert numbers == pytest.approx([*result[:-1]], abs=1e-9)
        assert [tuple(other) for other in alike] == [*result.alike]
        assert told == _path_words.tell(path, expected, examples=10_000, seeds=seeds)
    assert call("return kd.networksOf(paths)", paths=[[*path] for path in results]) == len(
        prefixes(results)
    )
    sizes = sorted({size for path in results for size in path}, reverse=True)
    ways = call("return kd.everyPath(sizes)", sizes=sizes)
    assert {tuple(way) for way in ways} == {*all_paths(sizes)}


@pytest.mark.parametrize("value", [0.04, 0.05, 61.25, 54.349999, 1234.5, 999.95])
def test_numbers_are_rounded_as_in_python(call, value):
    got = call("return [kd.rounded(x), kd.rounded(x, 2), kd.signed(-x), kd.signed(x)]", x=value)
    words = _path_words
    assert got == [
        words.rounded(value),
        words.rounded(value, 2),
        words.signed(-value),
        words.signed(value),
    ]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(48, 61, [45, 50, 55, 60, 65]), (7, 7, [7, 7.2]), (0, 9, [0, 2, 4, 6, 8, 10])],
)
def test_ticks_are_round_and_hold_all_values(call, low, high, ticks):
    assert call("return kd.ticksOver(low, high)", low=low, high=high) == ticks


def chosen(page):
    row = page.locator("[role=radio][aria-checked=true]")
    assert row.count() == 1
    return tuple(map(int, row.get_attribute("data-path").split("-")))


def assert_page_is_python(page, view):
    view.path = chosen(page)
    assert page.locator("[data-kd=result]").text_content() == view.summary()
    boxes = page.get_by_role("checkbox")
    ticked = boxes.evaluate_all("nodes => nodes.map((node) => node.checked)")
    assert ticked == [size in view.path for size in view.sizes[1:-1]]
    assert page.locator("[role=radio][tabindex='0']").count() == 1


def test_rows_are_drawn_in_order_with_python_s_means(show):
    view = make()
    page = show(view)
    read = "nodes => nodes.map((node) => [node.dataset.path, Number(node.dataset.value)])"
    drawn = page.locator("[role=radio]").evaluate_all(read)
    assert drawn == [["-".join(map(str, p)), r.mean] for p, r in view.results.items()]
    # Each seed is a dot of its own, and the labels-only student has a row of its own.
    assert page.locator("[role=radio] .kd-seed").count() == 8 * 5
    assert page.locator(".kd-alone .kd-seed").count() == 3
    assert f"train {view.networks} networks" in page.locator("[data-kd=cost]").text_content()


def scale_of(page):
    """Return where a number of errors lies, as its axis says."""
    read = """nodes => nodes.map((n) => [Number(n.textContent.replace(",", "")),
      Number(n.getAttribute('x'))])"""
    axis = page.locator(".kd-chart > .kd-grid + .kd-tick").evaluate_all(read)
    (low, left), (high, right) = axis[0], axis[-1]
    return lambda value: left + (right - left) * (value - low) / (high - low)


def attributes(locator, *names):
    read = "(nodes, names) => nodes.map((n) => names.map((k) => Number(n.getAttribute(k))))"
    return locator.evaluate_all(read, [*names])


def test_dots_bars_and_lines_lie_at_their_numbers(show):
    view = make()
    page, near = show(view), {"abs": 0.01}
    x = scale_of(page)
    for path, result in view.results.items():
        row = page.locator(f"[data-path='{'-'.join(map(str, path))}']")
        assert attributes(row.locator(".kd-mean"), "cx") == [
            [pytest.approx(x(result.mean), **near)]
        ]
        seeds = [at for [at] in attributes(row.locator(".kd-seed"), "cx")]
        assert seeds == pytest.approx([x(errors) for errors in RESULTS[path]], **near)
        [ends] = attributes(row.locator(".kd-spread"), "x1", "x2")
        wide = (result.mean - result.deviation, result.mean + result.deviation)
        assert ends == pytest.approx([x(end) for end in wide], **near)
    [straight] = attributes(page.locator(".kd-straight"), "x1", "x2")
    assert straight == pytest.approx([x(view.results[10, 2].mean)] * 2, **near)


def test_a_row_has_the_sizes_of_its_path_under_their_headings(show):
    page = show(make())
    headings = {size: 70 + 50 * i for i, size in enumerate(SIZES)}
    read = "n => [n.dataset.size, n.getBBox().x + n.getBBox().width / 2, n.className.baseVal]"
    for path in RESULTS:
        row = page.locator(f"[data-path='{'-'.join(map(str, path))}'] [data-size]")
        for size, at, style in row.evaluate_all(f"nodes => nodes.map({read})"):
            assert at == pytest.approx(headings[int(size)])
            kind = {10: "teacher", 2: "student"}.get(int(size), "assistant")
            assert style == (f"kd-fill-{kind}" if int(size) in path else "kd-skipped")


def test_toggles_choose_sizes(show):
    view = make()
    page = show(view)
    assert chosen(page) == (10, 2)
    for size, expected in (("6", (10, 6, 2)), ("8", (10, 8, 6, 2)), ("6", (10, 8, 2))):
        page.get_by_label(size, exact=True).press("Space")
        settle(page)
        assert chosen(page) == expected
        assert_page_is_python(page, view)


def test_keys_walk_through_the_rows(show):
    view = make()
    page = show(view)
    order = [*view.results]
    page.locator("[role=radio][tabindex='0']").focus()
    for key, index in (("Home", 0), ("ArrowDown", 1), ("ArrowRight", 2), ("ArrowUp", 1),
                       ("End", 7), ("ArrowDown", 7), ("PageUp", 0), ("PageDown", 7)):  # fmt: skip
        page.keyboard.press(key)
        settle(page)
        assert chosen(page) == order[index]
        assert_page_is_python(page, view)
    focused = page.evaluate("document.activeElement.dataset.path")
    assert focused == "-".join(map(str, order[7]))


def test_a_drag_over_the_rows_ends_with_the_last_one(show):
    view = make()
    page = show(view)
    rows = page.locator("[role=radio] .kd-band")
    boxes = [rows.nth(i).bounding_box() for i in range(8)]
    page.mouse.move(boxes[6]["x"] + 200, boxes[6]["y"] + 10)
    page.mouse.down()
    for box in boxes[5:1:-1]:
        page.mouse.move(box["x"] + 200, box["y"] + 10)
    page.mouse.up()
    page.mouse.move(boxes[0]["x"] + 200, boxes[0]["y"] + 10)
    settle(page)
    assert chosen(page) == [*view.results][2]
    assert_page_is_python(page, view)


def test_a_path_that_was_not_measured_says_so(show):
    few = {path: RESULTS[path] for path in ((10, 2), (10, 6, 4, 2))}
    view = explore_paths(few, examples=10_000)
    page = show(view)
    page.get_by_label("4", exact=True).press("Space")
    settle(page)
    assert chosen(page) == (10, 4, 2)
    assert_page_is_python(page, view)
    assert page.locator("[role=radio]").count() == 4
    assert page.get_by_text("not measured", exact=True).count() == 2


def test_one_seed_says_that_it_has_no_spread(show):
    view = explore_paths({(3, 1): [50], (3, 2, 1): [40]}, examples=100)
    page = show(view)
    assert page.locator(".kd-spread").count() == 0
    assert page.get_by_text("one seed: no spread").count() == 1
    assert_page_is_python(page, view)


def test_a_choice_is_announced(show):
    page = show(make())
    page.get_by_label("6", exact=True).check()
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert page.get_by_role("status").text_content().startswith("10→6→2: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_and_everything_has_a_name(show, scheme):
    page = show(make(path=(10, 6, 2)))
    page.emulate_media(color_scheme=scheme)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for width in (900, 380):
        page.set_viewport_size({"width": width, "height": 900})
        name = f"page_explore_paths_{scheme}{'_phone' if width < 900 else ''}.png"
        page.screenshot(path=ARTIFACTS / name, full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    controls = page.locator("input, select, button, [tabindex]")
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    assert controls.count() == 3 + 8 and controls.evaluate_all(unguarded) == 0
    nameless = "nodes => nodes.filter((n) => !(n.ariaLabel || n.labels?.length)).length"
    assert page.locator(":is(input, [role]:not([role=status]))").evaluate_all(nameless) == 0
    assert overlaps(page.locator(".kd-chart text")) == []


def test_the_still_stays_on_its_card(chromium):
    page = chromium.new_page(color_scheme="dark")
    view = make(path=(10, 8, 2))
    page.set_content(f"<body style='background: #111'>{view.still()}")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "still_explore_paths.png")
    read = "svg => { const b = svg.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; }"
    assert overlaps(page.locator("svg text")) == []
    left, top, right, bottom = page.locator("svg").evaluate(read)
    assert left >= 0 and top >= 0 and right <= 740 and bottom <= 64 + 26 * 8 + 28
    page.close()
