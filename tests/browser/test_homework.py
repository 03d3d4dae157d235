"""A student works on homework in a real JupyterLab: checks, Run all, Validate."""

import shutil

import pytest
from lab import ROOT, ask_kernel, jupyterlab, open_notebook, run_all, screenshot, show_cell

pytestmark = pytest.mark.browser
NAME = "hw1_temperature.ipynb"
WRONG = """def soft_target_loss(student_logits, teacher_logits, *, temperature):
    log_q = torch.log_softmax(student_logits / temperature, dim=-1)
    log_p = torch.log_softmax(teacher_logits.detach() / temperature, dim=-1)
    return (log_p.exp() * (log_p - log_q)).sum(dim=-1).mean()"""


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("homework")
    shutil.copy(ROOT / "notebooks" / "homework" / "release" / NAME, folder / NAME)
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    with jupyterlab(folder) as address:
        yield open_notebook(context, address, NAME)
    context.close()


def test_a_student_works_through_the_homework(page):
    run_all(page)
    # A stub doesn't stop "Run all", and says what it is.
    shown = show_cell(page, "hw1-q6-check")
    shown.get_by_text("hw1-q6: not answered yet").wait_for()
    assert "Traceback" not in shown.inner_text()

    said = ask_kernel(page, f"{WRONG}\nprint(check('hw1-q3', soft_target_loss))")
    assert "likely cause  T^2 missing" in said
    show_cell(page, "hw1-q2-check").get_by_text("hw1-q2: not answered yet").wait_for()
    screenshot(page, "homework")


def test_the_validate_button_names_what_fails(page):
    page.get_by_text("Validate", exact=True).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Validation Results").wait_for(timeout=120_000)
    screenshot(page, "homework_validate")
    assert "hw1-q1: not answered yet" in dialog.inner_text()
