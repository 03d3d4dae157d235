"""The mathematics in JavaScript against its Python twin, over a grid, to 1e-6."""

import base64

import pytest
import torch
import torch.nn.functional as F

from kdlab import losses, metrics
from kdlab.widgets._view import module_text

pytestmark = pytest.mark.browser

GENERATOR = torch.Generator().manual_seed(3)
# Float32 on the way to the browser, double on both sides after that.
STUDENT = (4 * torch.randn(6, 10, generator=GENERATOR)).double()
TEACHER = (4 * torch.randn(6, 10, generator=GENERATOR)).double()
TARGETS = torch.tensor([3, 0, 9, 3, 5, 1])
TEMPERATURES = [0.1, 0.37, 1.0, 2.5, 4.0, 20.0, 100.0]
LAMBDAS = [0.0, 0.25, 1.0]
EXTREME = torch.tensor([[1e4, -1e4, 0.0], [1e4, 1e4, -1e4], [0.0, 0.0, 0.0]]).double()


@pytest.fixture(scope="module")
def page(chromium):
    page = chromium.new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def call(page):
    """Return call(view, body, **values): run `body` with the view's module as `kd`."""

    def run(view, body, **values):
        text = base64.b64encode(module_text("matrix", "lengths", view).encode()).decode()
        names = ", ".join(values)
        script = f"async ([url, {{ {names} }}]) => {{ const kd = await import(url); {body} }}"
        return page.evaluate(script, [f"data:text/javascript;base64,{text}", values])

    return run


def close(actual, expected):
    actual = torch.tensor(actual, dtype=torch.double)
    torch.testing.assert_close(actual, expected.double(), rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("logits", [STUDENT, EXTREME], ids=["grid", "extreme"])
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_soften_and_entropy(call, logits, temperature):
    body = "return logits.map((z) => [...kd.soften(z, T), kd.entropy(z, T)])"
    got = torch.tensor(
        call("explore_temperature", body, logits=logits.tolist(), T=temperature), dtype=torch.double
    )
    close(got[:, :-1].tolist(), losses.soften(logits, temperature=temperature))
    expected = torch.special.entr(losses.soften(logits, temperature=temperature)).sum(-1)
    close(got[:, -1].tolist(), expected)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_entropy_is_the_library_s(call, temperature):
    body = "return logits.map((z) => kd.entropy(z, T))"
    got = call("explore_temperature", body, logits=STUDENT.tolist(), T=temperature)
    close(got, metrics.entropy(STUDENT, temperature=temperature))


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("lambda_", LAMBDAS)
def test_loss_and_gradient(call, temperature, lambda_):
    body = """return students.map((z, i) => {
        const settings = { temperature: T, lambda: lambda_, squared: true };
        const parts = kd.lossParts(z, teachers[i], targets[i], settings);
        return [parts.ce, parts.term, parts.loss, ...parts.gradient];
    })"""
    rows = {"students": STUDENT.tolist(), "teachers": TEACHER.tolist()}
    settings = {"targets": TARGETS.tolist(), "T": temperature, "lambda_": lambda_}
    got = torch.tensor(call("explore_loss", body, **rows, **settings), dtype=torch.double)
    where = {"temperature": temperature, "lambda_": lambda_}
    for row, z, v, y in zip(got, STUDENT.split(1), TEACHER.split(1), TARGETS.split(1), strict=True):
        close(row[0].item(), F.cross_entropy(z, y))
        close(row[1].item(), losses.soft_target_loss(z, v, temperature=temperature))
        close(row[2].item(), losses.distillation_loss(z, v, y, **where))
        close(row[3:].tolist(), losses.distillation_gradient(z, v, y, **where)[0])


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_without_the_factor_the_teacher_s_part_is_t_squared_smaller(call, temperature):
    body = """return [true, false].map((squared) => {
        const parts = kd.lossParts(z, v, 2, { temperature: T, lambda: 1, squared });
        return [parts.term, parts.loss, ...parts.gradient, kd.gradientLength(z, v, T, squared)];
    })"""
    values = {"z": STUDENT[0].tolist(), "v": TEACHER[0].tolist(), "T": temperature}
    with_factor, without = torch.tensor(call("explore_loss", body, **values), dtype=torch.double)
    torch.testing.assert_close(without * temperature**2, with_factor, rtol=1e-9, atol=1e-12)
    gradient = losses.soft_target_gradient(STUDENT[:1], TEACHER[:1], temperature=temperature)
    close(with_factor[-1].item(), gradient.norm())


def test_limit_is_where_the_gradient_goes(call):
    values = {"z": STUDENT[0].tolist(), "v": TEACHER[0].tolist()}
    got = call("explore_loss", "return kd.limitLength(z, v)", **values)
    gradient = losses.soft_target_gradient(STUDENT[:1], TEACHER[:1], temperature=1e7)
    close(got, gradient.norm())


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_class_similarity_and_order(call, temperature):
    body = """
        const table = kd.softenTable(logits, 10, T, new Float64Array(logits.length));
        return [[...table], [...kd.classSimilarity(table, targets, 10)],
                kd.orderByLikeness(table, targets, 10, 3, 8)];"""
    values = {"logits": STUDENT.flatten().tolist(), "targets": TARGETS.tolist(), "T": temperature}
    table, similarity, order = call("explore_dark_knowledge", body, **values)
    probabilities = losses.soften(STUDENT, temperature=temperature)
    close(table, probabilities.flatten())
    expected = metrics.class_similarity(STUDENT, TARGETS, temperature=temperature)
    close([float(value) for value in similarity], expected.flatten())
    likeness = probabilities[[0, 3], 8]
    assert order == ([0, 3] if likeness[0] >= likeness[1] else [3, 0])


def test_confusion(call):
    body = "return [...kd.confusionMatrix(new Float32Array(logits), targets, 10)]"
    values = {"logits": STUDENT.flatten().tolist(), "targets": TARGETS.tolist()}
    got = call("explore_dark_knowledge", body, **values)
    close(got, metrics.confusion_matrix(STUDENT, TARGETS).flatten())


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("ArrowRight", 4.0, 4.1),
        ("ArrowUp", 0.99, 1.0),
        ("ArrowUp", 9.9, 10.0),
        ("ArrowLeft", 1.0, 0.99),
        ("ArrowDown", 10.0, 9.9),
        ("ArrowDown", 0.1, 0.1),
        ("ArrowRight", 100.0, 100.0),
        ("ArrowRight", 3.98, 4.1),
        ("PageUp", 4.0, 8.0),
        ("PageDown", 4.0, 2.0),
        ("PageUp", 64.0, 100.0),
        ("Home", 4.0, 0.1),
        ("End", 4.0, 100.0),
        ("a", 4.0, None),
    ],
)
def test_keys_on_the_log_slider(call, key, value, expected):
    body = "return kd.stepLog(key, value, { min: 0.1, max: 100 }) ?? null"
    assert call("explore_temperature", body, key=key, value=value) == expected


def test_arrow_keys_reach_every_two_digit_number_both_ways(call):
    body = """
        const walk = (key, from) => {
          const seen = [from];
          for (;;) {
            const next = kd.stepLog(key, seen[seen.length - 1], { min: 0.1, max: 100 });
            if (next === seen[seen.length - 1]) return seen;
            seen.push(next);
          }
        };
        return [walk("ArrowUp", 0.1), walk("ArrowDown", 100).reverse()];"""
    up, down = call("explore_temperature", body)
    expected = [n / 100 for n in range(10, 100)] + [n / 10 for n in range(10, 100)]
    assert up == pytest.approx(expected + list(range(10, 101)))
    assert down == up


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("ArrowRight", 0.29, 0.3),
        ("ArrowLeft", 0.3, 0.29),
        ("PageUp", 0.5, 0.6),
        ("PageDown", 0.05, 0.0),
        ("End", 0.2, 1.0),
        ("Tab", 0.2, None),
    ],
)
def test_keys_on_the_linear_slider(call, key, value, expected):
    body = "return kd.stepLinear(key, value, { min: 0, max: 1, step: 0.01 }) ?? null"
    assert call("explore_temperature", body, key=key, value=value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "1.000"), (0.1234, "0.123"), (0.00456, "0.0046"), (1.234e-7, "1.2e-7"), (0, "0")],
)
def test_probabilities_as_text(call, value, expected):
    assert call("explore_temperature", "return kd.formatProbability(p)", p=value) == expected


def test_axes_hold_an_example_at_every_temperature(call):
    body = "return kd.axisEnds(z, v, 2)"
    ends = call("explore_loss", body, z=STUDENT[0].tolist(), v=TEACHER[0].tolist())
    one = slice(0, 1)
    for temperature in TEMPERATURES:
        where = {"temperature": temperature}
        largest = losses.soft_target_gradient(STUDENT[one], TEACHER[one], **where).abs().max()
        assert largest <= ends["gradient"]
        assert losses.soft_target_loss(STUDENT[one], TEACHER[one], **where) <= ends["loss"]
