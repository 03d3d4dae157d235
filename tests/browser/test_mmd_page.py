"""explore_mmd in a real Chromium: its numbers against Python's, drag, keys, buttons, words."""

import json
from pathlib import Path

import pytest
import torch
from pages import check_page, drag, settle

from kdlab.widgets import explore_mmd
from kdlab.widgets._draws import normals

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
FILES = ("points", "tables", "draws", "mmd", "clouds", "explore_mmd")
GENERATOR = torch.Generator().manual_seed(2)
CLOUDS = {
    "real": torch.randn(9, 2, generator=GENERATOR, dtype=torch.double),
    "targets": torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1]),
    "synthetic": torch.randn(4, 2, generator=GENERATOR, dtype=torch.double),
    "synthetic_targets": torch.tensor([1, 0, 0, 1]),
}
KINDS = ("linear", "relu")
SIDE = 320


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def assert_parts(parts, view):
    """Compare all that JavaScript computed with what Python does."""
    for name in KINDS:
        assert parts[name]["distances"] == near(view.distances[name].tolist())
        assert parts[name]["classDistances"] == near(view.class_distances[name].tolist())
        assert parts[name]["pairs"] == near(view.pair_means[name])
        assert parts[name]["mmd"] == near(view.distances[name].mean().item())
        sides = [view.embed(points, name).mean(1) for points in (view.real, view.placed)]
        means = torch.tensor(parts[name]["means"], dtype=torch.double)
        torch.testing.assert_close(means, torch.stack(sides, dim=1), rtol=1e-9, atol=1e-12)


def views():
    """Views as they start, moved, of other clouds, and with a single unit."""
    yield explore_mmd()
    yield explore_mmd(stretch=1, swapped=True)
    yield explore_mmd(**CLOUDS, shift=(0.7, -3.0), stretch=0.1, turn=-133.0, seed=41)
    yield explore_mmd(**CLOUDS, stretch=10, turn=180, swapped=True, networks=8, units=16)
    yield explore_mmd(networks=1, units=1, shift=(100, -100), seed=2**31 - 1)


def test_every_number_is_the_library_s(call):
    body = """
      const networks = kd.drawNetworks(seed, ...size);
      const placed = kd.placeCloud(own, kd.meanRow(real), moves);
      return Object.fromEntries(["linear", "relu"].map((kind) => [
        kind, kd.featureParts(real, targets, placed, labels, networks, kind),
      ]));"""
    for view in views():
        moves = {name: getattr(view, name) for name in ("shift", "stretch", "turn")}
        given = {"real": view.real.tolist(), "targets": view.targets.tolist(), "moves": moves}
        mine = {"own": view.synthetic, "labels": view.labels.tolist(), "seed": view.seed}
        parts = call(body, **given, **mine, size=[view._networks, view._units])
        assert_parts(parts, view)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**31 - 1])
def test_the_browser_draws_what_python_draws(call, seed):
    drawn = call("return kd.normals(seed, 500)", seed=seed)
    assert drawn == pytest.approx(normals(seed, 500), rel=1e-9, abs=1e-9)


def read_page(page, view):
    """Check what the page computed, told and drew against the view."""
    assert_parts(json.loads(page.locator("[data-kd=told]").get_attribute("data-value")), view)
    read = "nodes => nodes.map((node) => JSON.parse(node.dataset.value))"
    placed = page.locator("[data-synthetic]").evaluate_all(read)
    torch.testing.assert_close(torch.tensor(placed, dtype=torch.double), view.placed)
    hollow = "nodes => nodes.map((node) => Number(node.classList.contains('kd-hollow')))"
    assert page.locator("[data-synthetic]").evaluate_all(hollow) == view.labels.tolist()
    assert page.locator("[data-real]").evaluate_all(hollow) == view.targets.tolist()
    for name in KINDS:
        both = {"distances": view.distances, "classDistances": view.class_distances}
        for part, values in both.items():
            bars = page.locator(f"[data-bars='{name} {part}'] rect")
            drawn = bars.evaluate_all("nodes => nodes.map((node) => Number(node.dataset.value))")
            assert drawn == near(values[name].tolist())


def end_of(page):
    """Return how far the plane reaches, as its corner says."""
    return float(page.locator("[data-kd=explore_mmd] .kd-tick").nth(1).text_content())


def place_of(page, selector):
    text = page.locator(selector).get_attribute("transform")
    x, y = (float(part) for part in text.removeprefix("translate(").removesuffix(")").split())
    end = end_of(page)
    return [(2 * x / SIDE - 1) * end, (1 - 2 * y / SIDE) * end]


def test_the_page_starts_as_python_is(show):
    view = explore_mmd(**CLOUDS, shift=(0.4, 0.2), turn=25)
    page = show(view)
    read_page(page, view)
    assert place_of(page, "[data-mean=real]") == pytest.approx(view.real.mean(0).tolist(), abs=0.03)
    mean = view.placed.mean(0).tolist()
    assert place_of(page, "[data-handle=move]") == pytest.approx(mean, abs=0.03)
    assert place_of(page, "[data-synthetic='2']") == pytest.approx(
        view.placed[2].tolist(), abs=0.03
    )


def test_a_dragged_mean_moves_the_cloud(show):
    view = explore_mmd(**CLOUDS, stretch=1)
    page = show(view)
    end = end_of(page)
    drag(page, page.locator("[data-handle=move] .kd-grip"), 40, -24)
    # 320 pixels are twice the plane's end; up is positive.
    view.shift = [40 / 160 * end, 24 / 160 * end]
    moved = page.get_by_role("slider", name="Synthetic mean").get_attribute("aria-valuetext")
    told = [float(part) for part in moved.split(", ")]
    assert told == pytest.approx(view.placed.mean(0).tolist(), abs=0.03)
    parts = json.loads(page.locator("[data-kd=told]").get_attribute("data-value"))
    expected = view.distances["linear"].tolist()
    assert parts["linear"]["distances"] == pytest.approx(expected, rel=0.1)


def test_a_dragged_handle_stretches_and_turns(show, call):
    view = explore_mmd(stretch=1)
    page = show(view)
    end, reach = end_of(page), call("return kd.reachOf(points)", points=view.synthetic)
    # From the right of the mean to above it, and farther away.
    pixels = reach / end * 160
    drag(page, page.locator("[data-handle=stretch] .kd-grip"), -pixels, -1.25 * pixels)
    told = page.get_by_role("slider", name="Handle").get_attribute("aria-valuetext")
    assert told.endswith("turned by 90 degrees")
    assert float(told.split()[1]) == pytest.approx(1.25, abs=0.03)
    assert page.get_by_label("Turn", exact=True).get_attribute("aria-valuetext") == "90 degrees"


def test_the_plane_stays_while_a_handle_is_held(show):
    page = show(explore_mmd())
    end = end_of(page)
    box = page.locator("[data-handle=move] .kd-grip").bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"] + 60 * step, box["y"] + 12)
        settle(page)
        assert end_of(page) == end
    page.mouse.up()
    settle(page)
    assert place_of(page, "[data-handle=move]")[0] == pytest.approx(end, abs=0.05)
    assert end < end_of(page) <= 4 * end


def test_where_the_handle_is_gripped(call):
    body = "return [[3, 1], [1, -3], [-0.9, 1], [1, 1]].map((p) => kd.grippedAt(p, [1, 1], 0.5))"
    expected = [(4, 0), (8, -90), (3.8, 180), (0.1, 0)]
    for found, (stretch, turn) in zip(call(body), expected, strict=True):
        assert found == pytest.approx({"stretch": stretch, "turn": turn})
    reach = call("return kd.reachOf([[0, 5], [2, 7], [4, 9]])")
    assert reach == pytest.approx(2 * (8 / 3) ** 0.5)
    assert call("return kd.reachOf([[1, 5], [1, 7]])") == 1


def test_keys_move_stretch_and_turn(show):
    view = explore_mmd(**CLOUDS, turn=178)
    page = show(view)
    step = 2 * end_of(page) / 100
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowUp"):
        page.get_by_role("slider", name="Synthetic mean").press(key)
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowUp", "ArrowLeft"):
        page.get_by_role("slider", name="Handle").press(key)
    settle(page)
    # Beyond half a turn it counts from the other side.
    view.shift, view.stretch, view.turn = [step, 11 * step], 2.5 * 1.05**2, -177
    read_page(page, view)
    told = page.get_by_role("slider", name="Handle").get_attribute("aria-valuetext")
    assert told.endswith("turned by -177 degrees")


def test_sliders_and_the_switch(show):
    view = explore_mmd(**CLOUDS)
    page = show(view)
    page.get_by_label("Stretch", exact=True).press("PageUp")
    for key in ("PageUp", "ArrowRight"):
        page.get_by_label("Turn", exact=True).press(key)
    page.get_by_label("swap the synthetic labels").check()
    settle(page)
    view.stretch, view.turn, view.swapped = 5, 11, True
    read_page(page, view)


def test_buttons(show):
    view = explore_mmd(**CLOUDS, shift=(0.5, 0.5), turn=20)
    page = show(view)

    def click(name):
        page.get_by_role("button", name=name).click()
        settle(page)

    for view.seed in (1, 2):
        click("New networks")
        read_page(page, view)
    click("Equal means")
    view.shift = [0, 0]
    read_page(page, view)
    click("Not moved")
    view.stretch, view.turn = 1, 0
    read_page(page, view)
    click("Reset")
    read_page(page, explore_mmd(**CLOUDS, shift=(0.5, 0.5), turn=20))


def test_the_words_tell_what_each_kind_of_features_sees(show):
    view = explore_mmd()
    page = show(view)
    told = page.locator("[data-kd=told]")
    seen, wise = view.distances["relu"].mean(), view.class_distances["relu"].mean()
    assert told.text_content() == (
        f"The means are equal. Over all points, linear features see 0, ReLU features {seen:.4f}; "
        f"class by class 0 and {wise:.4f}."
    )
    page.get_by_role("button", name="Not moved").click()
    page.get_by_label("swap the synthetic labels").check()
    settle(page)
    start = "The means are equal, labels are swapped. Over all points, linear features see 0, "
    assert told.text_content().startswith(f"{start}ReLU features 0; class by class 5.137 and ")


def test_the_table_has_mmd_beside_the_distance(show):
    page = show(explore_mmd(shift=(1, 0)))
    view = explore_mmd(shift=(1, 0))
    for row, name in enumerate(KINDS):
        cells = page.locator("table tbody tr").nth(row).locator("td").all_text_contents()
        numbers = [float(cell) for cell in cells]
        a, b, c = view.pair_means[name]
        assert numbers == pytest.approx([a, b, c, a + b - 2 * c, a + b - 2 * c], abs=1e-3)


def test_kinks_lie_where_units_are_zero(show):
    view = explore_mmd()
    page = show(view)
    end = end_of(page)
    drawn = page.locator(".kd-kink").evaluate_all("nodes => nodes.map((n) => n.getAttribute('d'))")
    for (w, v, bias), path in zip(view.networks[0].tolist(), drawn, strict=True):
        for place in path.removeprefix("M").split("L"):
            x, y = map(float, place.split())
            value = w * (2 * x / SIDE - 1) * end + v * (1 - 2 * y / SIDE) * end + bias
            assert value == pytest.approx(0, abs=0.01)


def test_mean_embeddings_are_drawn_unit_by_unit(show):
    view = explore_mmd(shift=(0.5, 0))
    page = show(view)
    for name in KINDS:
        sides = [view.embed(points, name)[0].mean(0) for points in (view.real, view.placed)]
        for unit in range(8):
            group = page.locator(f"[data-unit='{name} {unit}']")
            pair = json.loads(group.get_attribute("data-value"))
            assert pair == near([side[unit].item() for side in sides])
            boxes = [group.locator(tag).bounding_box() for tag in ("circle", "rect")]
            high, low = (box["y"] + box["height"] / 2 for box in boxes)
            # What is larger is drawn higher.
            if abs(pair[0] - pair[1]) > 1e-3:
                assert (low > high) == (pair[0] > pair[1])


def test_the_plane_gives_way_when_the_cloud_leaves_it(show):
    page = show(explore_mmd())
    before = end_of(page)
    for _ in range(8):
        page.get_by_role("slider", name="Synthetic mean").press("Shift+ArrowRight")
    settle(page)
    assert end_of(page) > before
    x, _ = place_of(page, "[data-handle=stretch]")
    assert x < end_of(page)


def test_a_change_is_announced(show):
    page = show(explore_mmd())
    page.get_by_role("button", name="New networks").click()
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert page.get_by_role("status").text_content().startswith("The means are equal. ")


@pytest.mark.parametrize("name", ["start", "large"])
def test_nothing_is_clipped_and_everything_has_a_name(show, name):
    large = {**CLOUDS, "networks": 8, "units": 16, "shift": (99.0, -99.0), "swapped": True}
    view = explore_mmd(**large) if name == "large" else explore_mmd()
    check_page(show(view), f"explore_mmd_{name}", ARTIFACTS)
