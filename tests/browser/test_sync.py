"""What a view asks of its model: everything it took is given back, and few messages."""

import base64

import pytest
import torch

from kdlab.widgets import explore_temperature
from kdlab.widgets.page import state_of

pytestmark = pytest.mark.browser

# The view over a model that counts what is asked of it.
SETTING = """async ([text, { plain, packed }]) => {
  const { default: view } = await import("data:text/javascript;base64," + text);
  const values = { ...plain };
  for (const [name, text] of Object.entries(packed)) {
    values[name] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  }
  const listeners = new Map();
  const saves = [];
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    on: (event, listener) => { listeners.set(event, listener); },
    off: (event, listener) => { if (listeners.get(event) === listener) listeners.delete(event); },
    save_changes: () => { saves.push(performance.now()); },
  };
  const leave = view.render({ model, el: document.body });
  const slider = document.querySelector("input[type=range]");
  const press = (key) => slider.dispatchEvent(new KeyboardEvent("keydown", { key }));
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const told = async (times) => { while (saves.length < times) await wait(10); };
  const shown = () => Number(slider.getAttribute("aria-valuetext"));
"""


@pytest.fixture
def play(context):
    """Return play(script): run it where a view is shown, and return what it returns."""
    view = explore_temperature(torch.tensor([[1.0, 2.0, 4.0]]))
    text = base64.b64encode(view._esm.encode()).decode()
    page = context.new_page()
    return lambda script: page.evaluate(SETTING + script + "}", [text, state_of(view)])


def test_a_view_listens_to_each_trait_it_shows(play):
    events = play("return [...listeners.keys()]")
    assert events == ["change:temperature", "change:example", "change:log_axis"]


def test_a_trait_set_in_python_moves_the_slider_and_sends_nothing_back(play):
    script = """
      model.set("temperature", 25);
      listeners.get("change:temperature")();
      await drawn();
      await wait(200);
      return [shown(), saves.length];"""
    assert play(script) == [25, 0]


def test_a_value_between_two_steps_is_kept_until_it_is_moved(play):
    script = """
      model.set("temperature", 3.14159);
      listeners.get("change:temperature")();
      await drawn();
      const kept = values.temperature;
      press("ArrowUp");
      return [kept, values.temperature];"""
    assert play(script) == [3.14159, 3.2]


def test_leaving_a_view_gives_everything_back(play):
    script = """
      leave();
      press("End");
      await wait(200);
      return [listeners.size, saves.length, values.temperature];"""
    assert play(script) == [0, 0, 1]


def test_a_move_made_right_before_leaving_still_reaches_python(play):
    script = """
      press("End");
      leave();
      const sent = saves.length;
      await wait(200);
      return [sent, saves.length, values.temperature];"""
    assert play(script) == [1, 1, 100]


def test_a_drag_does_not_flood_the_kernel_and_ends_with_the_last_value(play):
    script = """
      for (let i = 0; i < 120; i++) {
        press("ArrowUp");
        await wait(4);
      }
      press("End");
      const last = performance.now();
      await wait(200);
      const gaps = saves.slice(1).map((time, i) => time - saves[i]);
      return [Math.min(...gaps), saves.at(-1) >= last, values.temperature];"""
    gap, trailing, value = play(script)
    # Timers may be a millisecond early by their coarse clock.
    assert gap >= 48
    assert trailing and value == 100


def test_an_answer_to_an_older_value_does_not_take_a_newer_one_back(play):
    script = """
      press("ArrowUp");
      await told(1);
      const older = values.temperature;
      press("End");
      // Python says what it got, while the newer value isn't sent yet.
      model.set("temperature", older);
      listeners.get("change:temperature")();
      const before = saves.length;
      await drawn();
      const seen = [before, shown(), values.temperature];
      await told(2);
      // Once it is sent, Python's word counts again.
      model.set("temperature", 2);
      listeners.get("change:temperature")();
      await drawn();
      return [...seen, saves.length, shown()];"""
    assert play(script) == [1, 100, 100, 2, 2]
