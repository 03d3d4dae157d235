"""What holds for every view that computes in the browser."""

import re
import tracemalloc
import xml.etree.ElementTree as ElementTree

import pytest
import torch

from kdlab.widgets import explore_dark_knowledge, explore_loss, explore_temperature

GENERATOR = torch.Generator().manual_seed(1)
LOGITS = 3 * torch.randn(8, 4, generator=GENERATOR)
TARGETS = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
IMAGES = torch.randint(0, 256, (8, 1, 6, 5), generator=GENERATOR, dtype=torch.uint8)
SVG = "{http://www.w3.org/2000/svg}"

MAKERS = {
    "explore_temperature": lambda **more: explore_temperature(LOGITS, images=IMAGES, **more),
    "explore_dark_knowledge": lambda **more: explore_dark_knowledge(
        LOGITS, TARGETS, images=IMAGES, **more
    ),
    "explore_loss": lambda **more: explore_loss(LOGITS, LOGITS.flip(0), TARGETS, **more),
}


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def test_repr_reads_as_the_call_and_holds_no_address():
    assert repr(MAKERS["explore_temperature"](temperature=4)) == (
        "explore_temperature(temperature=4.0, example=0, log_axis=False)"
    )


def test_every_repr_is_the_same_for_equal_views(make):
    assert repr(make()) == repr(make())


def test_readers_without_widgets_get_a_still_and_a_text(make):
    view = make()
    data, _ = view._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert data["text/plain"] == view.summary()
    assert data["image/svg+xml"] == view.still()


@pytest.mark.parametrize("names", [None, ["<b>", "a&b", '"', "@module@"]])
def test_still_is_well_formed_with_title_and_description(make, names):
    view = make(class_names=names)
    root = ElementTree.fromstring(view.still())
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == view.title
    assert root.find(f"{SVG}desc").text == view.summary()
    # The card under the drawing is light, so that dark text reads on any page.
    assert root.find(f"{SVG}rect").get("fill") == "#ffffff"


def test_still_follows_the_temperature(make):
    view = make()
    before = view.still()
    view.temperature = 50
    assert view.still() != before


def test_the_module_imports_nothing_and_has_one_default_export(make):
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_instances_share_one_module(make):
    assert make()._esm == make()._esm


def test_traits_can_be_given_read_and_set(make):
    view = make(temperature=2)
    assert view.temperature == 2.0
    view.temperature = torch.tensor(8.0)
    assert view.temperature == 8.0
    assert type(view.temperature) is float


@pytest.mark.parametrize("value", [0, -1.0, 0.05, 101, float("nan"), "hot", None, True])
def test_a_wrong_temperature_is_refused_and_the_old_one_stays(make, value):
    view = make(temperature=2)
    with pytest.raises(ValueError, match=r"^temperature must be in \[0\.1, 100\], got "):
        view.temperature = value
    assert view.temperature == 2.0


def test_a_wrong_temperature_at_the_start_is_refused(make, unchecked_shapes):
    with pytest.raises(ValueError, match=r"^temperature must be in \[0\.1, 100\], got 0$"):
        make(temperature=0)


def test_class_names_must_be_as_many_as_classes(make):
    with pytest.raises(ValueError, match="class_names must hold 4 names, got 2"):
        make(class_names=["a", "b"])


def test_a_slider_moved_in_the_browser_sets_the_trait(make):
    view = make()
    seen = []
    view.observe(lambda change: seen.append(change.new), "temperature")
    view.set_state({"temperature": 7})
    assert seen == [7.0]


def test_a_trait_set_in_python_is_sent_alone(make, monkeypatch):
    view = make()
    sent = []
    monkeypatch.setattr(view, "_send", lambda message, buffers=None: sent.append(message["state"]))
    monkeypatch.setattr(type(view.comm), "kernel", object(), raising=False)
    view.temperature = 9
    assert sent == [{"temperature": 9.0}]


def test_a_thousand_updates_leave_no_memory_behind(make):
    view = make()
    view.set_state({"temperature": 1.0})
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for step in range(1000):
        view.set_state({"temperature": 1 + step / 100})
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 5e6


def test_page_holds_module_state_and_still(make, tmp_path):
    view = make()
    path = view.save_html(tmp_path / "view.html")
    text = path.read_text("utf-8")
    assert path == tmp_path / "view.html"
    assert view._esm in text and view.still() in text
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text) == []


def test_page_without_images_is_small(tmp_path):
    path = explore_temperature(LOGITS).save_html(tmp_path / "small.html")
    assert path.stat().st_size < 40_000


def test_page_survives_names_that_look_like_its_own_marks(make, tmp_path):
    names = ["</script><script>alert(1)</script>", "@module@", "@still@", "<!--"]
    text = make(class_names=names).save_html(tmp_path / "view.html").read_text("utf-8")
    state = re.search(r'id="kd-state">(.*?)</script>', text, re.S)[1]
    assert "<" not in state and "@module@" in state
    assert text.count("<script") == 2


def test_page_replaces_an_older_page(make, tmp_path):
    path = make().save_html(tmp_path / "view.html")
    old = path.read_text("utf-8").replace("kdlab 0.", "kdlab 99.")
    path.write_text(old, "utf-8")
    make(temperature=33).save_html(path)
    assert '"temperature": 33.0' in path.read_text("utf-8")


def test_page_never_replaces_another_file(make, tmp_path):
    path = tmp_path / "homework.html"
    path.write_text("<p>mine</p>")
    with pytest.raises(FileExistsError, match="homework.html"):
        make().save_html(path)
    assert path.read_text() == "<p>mine</p>"


def test_page_that_fails_leaves_nothing_behind(make, tmp_path, monkeypatch):
    path = make().save_html(tmp_path / "view.html")
    whole = path.read_text("utf-8")

    def half(self, text, encoding):
        with self.open("w") as file:
            file.write(text[:100])
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "write_text", half)
    with pytest.raises(OSError, match="disk full"):
        make(temperature=5).save_html(path)
    assert [file.name for file in tmp_path.iterdir()] == ["view.html"]
    assert path.read_text("utf-8") == whole
