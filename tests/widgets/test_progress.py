"""show_progress: in a real kernel, and outside of one."""

from textwrap import dedent

import nbformat
import pytest
from nbclient import NotebookClient

from kdlab.widgets import progress, show_progress

STEPS = 1180


CELLS = {
    "whole": f"""
        tell = show_progress('teacher')
        for step in range(1, {STEPS} + 1): tell(step, {STEPS}, '454 test errors')
    """,
    "interrupt": """
        show_progress('teacher')(3, 10, '')
        raise KeyboardInterrupt
    """,
    "stopped": """
        import torch
        from kdlab import data, models, schemes
        digits = data.load('digits').take(train=256, test=50)
        tell, model = show_progress('student'), models.mlp((784, 10))
        def press_stop(done, steps, note):
            tell(done, steps, note)
            if done == 3: raise KeyboardInterrupt
        batches = data.Batches(digits.train_images, digits.train_targets)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        history = schemes.train(model, batches, optimizer, epochs=2, progress=press_stop)
        history.interrupted, len(history.losses)
    """,
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, list]:
    """Run each cell in one real kernel and return what each shows."""
    start = nbformat.v4.new_code_cell("from kdlab.widgets import show_progress")
    cells = {name: nbformat.v4.new_code_cell(dedent(code)) for name, code in CELLS.items()}
    notebook = nbformat.v4.new_notebook(cells=[start, *cells.values()])
    NotebookClient(notebook, timeout=90, allow_errors=True).execute()
    return {name: cell.outputs for name, cell in cells.items()}


class Screen:
    """Stands for IPython's display: keeps each bundle under the number of its display."""

    def __init__(self):
        self.shown: list[tuple[int, dict]] = []
        self.displays = 0

    def display(self, data, *, raw, display_id):
        assert raw and display_id
        self.displays += 1
        self.shown.append((self.displays, data))
        return Handle(self, self.displays)


class Handle:
    """Stands for IPython's DisplayHandle."""

    def __init__(self, screen, number):
        self.screen, self.number = screen, number

    def update(self, data, *, raw):
        assert raw
        self.screen.shown.append((self.number, data))


@pytest.fixture
def screen(monkeypatch):
    """Pretend to be a notebook; time stands still until `screen.now` is moved."""
    screen = Screen()
    screen.now = 100.0
    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
    monkeypatch.setattr(progress, "display", screen.display)
    monkeypatch.setattr(progress.time, "monotonic", lambda: screen.now)
    return screen


def test_a_notebook_keeps_one_plain_line(outputs):
    [shown] = outputs["whole"]
    assert shown.output_type == "display_data"
    assert shown.data == {"text/plain": "teacher: 1,180 steps, 454 test errors"}


def test_an_interrupt_leaves_the_bar_where_it_was(outputs):
    shown, error = outputs["interrupt"]
    assert shown.data["text/plain"] == "teacher: step 3 of 10"
    assert error.ename == "KeyboardInterrupt"


def test_an_interrupted_training_returns_what_it_has_below_its_bar(outputs):
    shown, result = outputs["stopped"]
    assert shown.data["text/plain"].startswith("student: step ")
    assert result.data["text/plain"] == "(True, 1)"


def test_outside_a_notebook_one_line_is_printed_at_the_end(capsys):
    tell = show_progress("teacher")
    tell(1, 2, "")
    assert capsys.readouterr().out == ""
    tell(2, 2, "")
    assert capsys.readouterr().out == "teacher: 2 steps\n"


def test_updates_come_at_most_ten_times_a_second(screen):
    tell = show_progress("teacher")
    for step in range(1, 1001):
        screen.now += 0.001
        tell(step, 2000, "")
    # The first at once, then one in each tenth of the second.
    assert 10 <= len(screen.shown) <= 11
    assert screen.displays == 1


def test_the_bar_has_a_name_and_its_text_is_escaped(screen):
    show_progress('a<b> & "c"')(3, 10, "<i>")
    html = screen.shown[0][1]["text/html"]
    assert 'value="3" max="10" aria-label="a&lt;b&gt; &amp; &quot;c&quot;"' in html
    assert "step 3 of 10, &lt;i&gt;" in html


def test_steps_that_start_again_begin_a_new_bar(screen):
    tell = show_progress("student")
    for step in (1, 2, 1, 2):
        tell(step, 2, "")
    assert [number for number, data in screen.shown] == [1, 1, 2, 2]
    assert screen.shown[-1][1] == {"text/plain": "student: 2 steps"}


@pytest.mark.parametrize("label", ["", " ", None, 3])
def test_a_label_must_be_a_text(label, unchecked_shapes):
    with pytest.raises(ValueError, match=f"label must be a text, got {label!r}"):
        show_progress(label)
