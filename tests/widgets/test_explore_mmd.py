"""explore_mmd: the Python side, without a browser."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from torch.testing import assert_close

from kdlab.condense import class_embedding_distance, mean_embedding_distance
from kdlab.widgets import explore_mmd
from kdlab.widgets._draws import normals

GENERATOR = torch.Generator().manual_seed(5)
REAL = torch.randn(9, 2, generator=GENERATOR, dtype=torch.double)
OWN = torch.randn(4, 2, generator=GENERATOR, dtype=torch.double)
TARGETS = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1])
OWN_TARGETS = torch.tensor([1, 0, 0, 1])
SVG = "{http://www.w3.org/2000/svg}"
CLOUDS = {
    "real": REAL,
    "targets": TARGETS,
    "synthetic": OWN,
    "synthetic_targets": OWN_TARGETS,
}


def make(**more):
    return explore_mmd(**{**CLOUDS, **more})


def embedded(view, points, features):
    """Embed points unit by unit, by the formula."""
    rows = []
    for network in view.networks.tolist():
        values = [[w * x + v * y + b for w, v, b in network] for x, y in points.tolist()]
        if features == "relu":
            values = [[max(0.0, value) for value in row] for row in values]
        rows.append(torch.tensor(values, dtype=torch.double) / math.sqrt(len(network)))
    return torch.stack(rows)


@pytest.mark.parametrize("features", ["linear", "relu"])
def test_distances_are_the_library_s_and_follow_the_traits(features):
    view = make(networks=3, units=6)
    view.shift, view.stretch, view.turn = (0.5, -0.2), 1.5, 40
    view.swapped, view.seed, view.synthetic = True, 7, OWN.flip(0).tolist()
    sides = [embedded(view, points, features) for points in (REAL, view.placed)]
    assert_close(view.embed(REAL, features), sides[0])
    for n, (real, own) in enumerate(zip(*sides, strict=True)):
        blind = mean_embedding_distance(real, own)
        labels = 1 - OWN_TARGETS
        wise = class_embedding_distance(real, TARGETS, own, labels, classes=2)
        assert view.distances[features][n] == pytest.approx(blind.item(), rel=1e-12)
        assert view.class_distances[features][n] == pytest.approx(wise.item(), rel=1e-12)


@pytest.mark.parametrize("features", ["linear", "relu"])
def test_mmd_by_its_definition_is_the_squared_distance(features):
    view = make(shift=(0.3, 0.1))
    sides = [embedded(view, points, features) for points in (REAL, view.placed)]
    pairs = []
    for one, other in ((0, 0), (1, 1), (0, 1)):
        kernels = [
            torch.dot(x, s).item()
            for network in range(5)
            for x in sides[one][network]
            for s in sides[other][network]
        ]
        pairs.append(sum(kernels) / len(kernels))
    assert view.pair_means[features] == pytest.approx(pairs, rel=1e-10)
    mmd = pairs[0] + pairs[1] - 2 * pairs[2]
    assert view.distances[features].mean().item() == pytest.approx(mmd, rel=1e-9)


def test_the_cloud_is_stretched_across_then_turned_then_moved():
    view = make(shift=(0.5, -1.0), stretch=3, turn=90)
    centred = OWN - OWN.mean(0)
    # A quarter turn takes across to up, and up to the left.
    expected = torch.stack([-centred[:, 1], 3 * centred[:, 0]], dim=1)
    moved = REAL.mean(0) + torch.tensor([0.5, -1.0], dtype=torch.double)
    assert_close(view.placed, expected + moved)
    assert_close(make(stretch=1).placed, centred + REAL.mean(0))


def test_linear_features_are_blind_to_a_stretch_and_relu_features_are_not():
    view = explore_mmd(stretch=1)
    assert max(view.distances["relu"].tolist()) < 1e-28
    for view.stretch, view.turn in ((2.5, 0), (0.2, 30), (10, -90)):
        assert max(view.distances["linear"].tolist()) < 1e-28
        assert min(view.distances["relu"].tolist()) > 1e-4
    view.shift = [0.5, 0]
    assert min(view.distances["linear"].tolist()) > 1e-3


def test_classes_stay_where_they_are_under_a_stretch_and_show_a_turn():
    view = explore_mmd()
    assert max(view.class_distances["linear"].tolist()) < 1e-28
    view.turn = 30
    assert max(view.distances["linear"].tolist()) < 1e-28
    assert min(view.class_distances["linear"].tolist()) > 0.01


@pytest.mark.parametrize("features", ["linear", "relu"])
def test_only_class_by_class_are_swapped_labels_seen(features):
    view = explore_mmd(stretch=1)
    assert max(view.class_distances[features].tolist()) < 1e-28
    view.swapped = True
    assert max(view.distances[features].tolist()) < 1e-28
    assert min(view.class_distances[features].tolist()) > 0.1


def test_equal_seeds_give_equal_networks_and_others_give_others():
    assert torch.equal(explore_mmd(seed=3).networks, explore_mmd(seed=3).networks)
    assert not torch.equal(explore_mmd(seed=3).networks, explore_mmd(seed=4).networks)
    assert explore_mmd(networks=2, units=3).networks.shape == (2, 3, 3)


def test_draws_are_standard_normal():
    draws = torch.tensor(normals(7, 20_000), dtype=torch.double)
    assert draws.mean().abs() < 0.03 and (draws.std() - 1).abs() < 0.03
    assert (draws.abs() < 1.96).double().mean() == pytest.approx(0.95, abs=0.01)
    assert normals(7, 3) == draws[:3].tolist() != normals(8, 3)


def test_repr_and_summary():
    view = explore_mmd(stretch=1, shift=(1, 0), swapped=True)
    assert repr(view) == (
        "explore_mmd(shift=[1.0, 0.0], stretch=1.0, turn=0.0, swapped=True, seed=0)"
    )
    blind, wise = view.distances, view.class_distances
    assert view.summary() == (
        "Means (1.00, 0.00) apart, stretched 1 times, turned by 0 degrees, labels swapped: linear "
        f"features see {blind['linear'].mean():.4f}, class by class {wise['linear'].mean():.4f}; "
        f"ReLU features see {blind['relu'].mean():.4f}, class by class {wise['relu'].mean():.4f}"
    )


def test_the_still_shows_both_clouds_and_the_distances():
    view = make()
    root = ElementTree.fromstring(view.still())
    assert root.find(f"{SVG}desc").text == view.summary()
    hollow = [node.get("fill") == "#ffffff" for node in root.findall(f"{SVG}circle")]
    assert hollow == (TARGETS == 1).tolist()
    squares = [node for node in root.findall(f"{SVG}rect") if node.get("height") == "8"]
    assert [node.get("fill") == "#ffffff" for node in squares] == (OWN_TARGETS == 1).tolist()
    bars = [float(n.get("width")) for n in root.findall(f"{SVG}rect") if n.get("height") == "18"]
    parts = [
        values[name].mean().item()
        for name in ("linear", "relu")
        for values in (view.distances, view.class_distances)
    ]
    assert bars == pytest.approx([150 * part / max(parts) for part in parts], abs=0.01)
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()


def test_the_still_s_points_stay_in_the_frame():
    root = ElementTree.fromstring(make(stretch=10, shift=(50, -80)).still())
    for node in root.findall(f"{SVG}circle"):
        assert 10 <= float(node.get("cx")) <= 265 and 75 <= float(node.get("cy")) <= 330
    for node in root.findall(f"{SVG}rect"):
        if node.get("height") == "8":
            assert 10 <= float(node.get("x")) <= 257 and 75 <= float(node.get("y")) <= 322


def test_the_module_imports_nothing_and_has_one_default_export():
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_the_page_is_small_and_needs_no_network(tmp_path):
    view = make()
    text = view.save_html(tmp_path / "view.html").read_text("utf-8")
    assert len(text) < 70_000 and view.still() in text
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text) == []


def test_single_precision_and_gradients_are_taken():
    view = make(real=REAL.float().requires_grad_(), shift=[0.5, 0.25])
    assert view.shift == [0.5, 0.25]
    assert view.distances["relu"].dtype == torch.double
    assert not view.distances["relu"].requires_grad


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("synthetic", [[0.0, 0.0]], "synthetic must be 4 points, got 1"),
        ("shift", [0.0], "shift must be 2 numbers, got 1"),
        ("shift", [0.0, 101.0], "shift must be numbers in [-100, 100], got [0.0, 101.0]"),
        ("stretch", 0, "stretch must be in [0.1, 10], got 0"),
        ("turn", 181, "turn must be in [-180, 180], got 181"),
        ("seed", -1, "seed must be a whole number in [0, 2147483648), got -1"),
        ("seed", 0.5, "seed must be a whole number in [0, 2147483648), got 0.5"),
    ],
)
def test_a_wrong_trait_is_refused_and_the_old_one_stays(name, value, message):
    view = make()
    before = getattr(view, name)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        setattr(view, name, value)
    assert getattr(view, name) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"real": REAL.tolist()}, "real must be a tensor, got list"),
        ({"real": REAL.long()}, "real must be floating point, got torch.int64"),
        ({"real": REAL[:, :1]}, "real must have shape [2 to 40 points, 2], got [9, 1]"),
        ({"real": torch.zeros(41, 2)}, "real must have shape [2 to 40 points, 2], got [41, 2]"),
        ({"real": REAL / 0}, "real must be in [-100, 100], got "),
        ({"real": None}, "real must be given with targets, got None"),
        ({"targets": None}, "targets must be given with real, got None"),
        ({"synthetic": None}, "synthetic must be given with synthetic_targets, got None"),
        ({"targets": TARGETS[:3]}, "lengths must be equal, got real 9 and targets 3"),
        ({"targets": TARGETS.double()}, "targets must be int64, got torch.float64"),
        ({"targets": 2 * TARGETS}, "targets must be in [0, 2), got 0 to 2"),
        ({"targets": 0 * TARGETS}, "targets must hold both classes, 0 and 1, got [0, 0"),
        ({"networks": 0}, "networks must be a whole number >= 1, got 0"),
        ({"networks": 9}, "networks must be <= 8, got 9"),
        ({"units": 17}, "units must be <= 16, got 17"),
        ({"stretch": 0.0}, "stretch must be in [0.1, 10], got 0.0"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make(**change)
