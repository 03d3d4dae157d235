"""Homework 3: its questions, and other right answers.

What holds for every question, such as that each mistake is recognised, stands in test_questions.
"""

import math
from dataclasses import replace

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _homeworks import (
    assert_cells_are_the_specs,
    assert_code_is_short,
    assert_explanations_are_for_instructors,
    assert_minutes_and_points_are_told,
    assert_recognised_on_fresh_inputs,
    assert_solutions_are_right,
    look_alike,
    share_of_points,
    told,
)
from _judged import faults, mistakes_of
from _probes import sgd, small_batches, small_net, small_set
from torch import tensor
from torch.testing import assert_close

from kdlab import losses, models
from kdlab.data import Batches, to_float
from kdlab.grading import check, find_homework, find_question
from kdlab.grading.observe import observe
from kdlab.grading.places import source_path
from kdlab.schemes import distill_paths, distill_snapshots, learn_mutually
from kdlab.schemes.generations import Generations
from kdlab.schemes.paths import all_paths, prefixes

HOMEWORK = find_homework("hw3")
MISTAKES = mistakes_of(HOMEWORK.questions)
each_question = pytest.mark.parametrize("question", HOMEWORK.questions, ids=lambda q: q.id)
PATHS, MUTUAL, TARGETS, RATES, WEIGHTS = (question.reference for question in HOMEWORK.questions)


# ---- fairness ---------------------------------------------------------------------------------

NEXT, ENSEMBLE, EXTREME = 0.25, 0.5, 0.75
# Right for one of the two teachers of question 3, or in all ordinary cases; others get nothing.
PARTIAL = {
    ("hw3-q1", "order and repetition lost"): EXTREME,
    ("hw3-q2", "the logarithm of a softmax"): EXTREME,
    ("hw3-q3", "generation 0 teaches"): NEXT,
    ("hw3-q3", "the generation before the last teaches"): NEXT,
    ("hw3-q3", "all generations teach the next one"): NEXT,
    ("hw3-q3", "generation 0 in the ensemble"): ENSEMBLE,
    ("hw3-q3", "logits averaged"): ENSEMBLE,
    ("hw3-q3", "probabilities multiplied"): ENSEMBLE,
    ("hw3-q3", "sum instead of mean over the generations"): ENSEMBLE,
    ("hw3-q3", "divided by the number of all generations"): ENSEMBLE,
    ("hw3-q3", "the last generation left out"): ENSEMBLE,
    ("hw3-q3", "the last generation alone"): ENSEMBLE,
    ("hw3-q3", "votes counted"): ENSEMBLE,
    ("hw3-q3", "exp overflows"): EXTREME,
    ("hw3-q4", "one step too many by rounding"): EXTREME,
    ("hw3-q5", "a run that never stalls"): EXTREME,
}


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_gets_the_same_whatever_inputs_are_drawn(question, mistake, variant):
    expected = PARTIAL.get((question.id, mistake.name), 0.0)
    for seed in range(40):
        assert share_of_points(question, variant, seed) == expected, f"seed {seed}"


def test_mistakes_that_get_a_part_exist():
    assert PARTIAL.keys() <= {
        (q.id, mistake.name) for q in HOMEWORK.questions for mistake in q.mistakes
    }


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_is_recognised_on_fresh_inputs_too(question, mistake, variant):
    assert_recognised_on_fresh_inputs(question, mistake, variant, seeds=5)


@each_question
def test_the_visible_cases_tell_two_mistakes_apart(question):
    """The second case of question 3 asks for the other teacher; elsewhere the first suffices."""
    alike = set(look_alike(question))
    if question.id == "hw3-q3":
        alike &= set(look_alike(replace(question, cases=question.cases[1:])))
    assert alike == set()


# ---- the set as a whole ---------------------------------------------------------------------


def test_ids_are_in_order_and_points_sum_to_20():
    assert [question.id for question in HOMEWORK.questions] == [f"hw3-q{n}" for n in range(1, 6)]
    assert HOMEWORK.points == 20 and min(q.points for q in HOMEWORK.questions) > 0
    assert (HOMEWORK.id, HOMEWORK.name) == ("hw3", "hw3_together")


def test_each_question_stands_for_itself():
    assert not any(question.uses for question in HOMEWORK.questions)
    assert len({question.name for question in HOMEWORK.questions}) == len(HOMEWORK.questions)


@each_question
def test_reference_is_right_on_fresh_cases_by_position_and_by_name(question):
    for seed in range(20):
        for case in question.fresh_cases(seed):
            by_name = question.reference(**case.inputs)
            assert_close(question.reference(*case.inputs.values()), by_name)
            assert np.isfinite(observe(question.reference, case).value).all()


@each_question
def test_fresh_cases_are_weighted_and_some_are_extreme(question):
    cases = question.fresh_cases(0)
    assert len({case.weight for case in cases}) > 1 and all(case.weight > 0 for case in cases)
    assert [case.extreme for case in cases[:2]] == [False, False]
    assert len(cases) > 2 and all(case.extreme for case in cases[2:])
    # What is extreme is shown before it is graded.
    assert {case.name for case in cases if case.extreme} <= {case.name for case in question.cases}


# ---- right answers in other styles ----------------------------------------------------------


def paths_by_unique_rows(paths, costs):
    """Beginnings of one length at a time, as rows of a tensor."""
    count, cost = 0, torch.zeros(())
    for length in range(1, paths.shape[1] + 1):
        beginnings = paths[paths[:, length - 1] > 0, :length].unique(dim=0)
        count, cost = count + len(beginnings), cost + costs[beginnings[:, -1]].sum()
    return count, cost


def paths_as_texts(paths, costs):
    seen, cost = [], 0.0
    for row in paths.numpy():
        name = ""
        for size in row[row != 0]:
            name += f"{size}-"
            if name not in seen:
                seen.append(name)
                cost += costs[size].item()
    return [len(seen), cost]


def paths_as_a_tree(paths, costs):
    def grown(rows):
        total = np.zeros(2)
        for size in {row[0] for row in rows if row and row[0]}:
            total += [1, float(costs[size])]
            total += grown([row[1:] for row in rows if row and row[0] == size])
        return total

    return grown(paths.tolist())


def paths_by_steps(paths, costs):
    trained = {}
    for row in paths.tolist():
        while row and not row[-1]:
            row.pop()
        while row:
            trained[tuple(row)] = costs[row[-1]]
            row.pop()
    return torch.stack([torch.tensor(float(len(trained))), sum(trained.values())])


def paths_in_double(paths, costs):
    whole = [[int(s) for s in row if s] for row in paths]
    found = sorted(tuple(row[: n + 1]) for row in whole for n in range(len(row)))
    kept = [one for one, before in zip(found, [None, *found], strict=False) if one != before]
    return np.float64(len(kept)), np.sum([costs.double().numpy()[one[-1]] for one in kept])


def mutual_by_hand(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    def step(own, other):
        z, v = inputs @ own.T, inputs @ other.T
        labels = z.softmax(1) - F.one_hot(targets, z.shape[1])
        taught = (z / temperature).softmax(1) - (v / temperature).softmax(1)
        slope = (1 - lambda_) * labels + lambda_ * temperature * taught
        return own - learning_rate * slope.T @ inputs / len(inputs)

    first = step(first, second)
    return [first, step(second, first)]


def mutual_in_numpy(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    x, y = inputs.numpy().astype(np.float64), targets.numpy()
    weights = [first.numpy().astype(np.float64), second.numpy().astype(np.float64)]

    def softmax(z):
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    for own in range(2):
        z, v = x @ weights[own].T, x @ weights[1 - own].T
        slope = (1 - lambda_) * (softmax(z) - np.eye(z.shape[1])[y])
        slope += lambda_ * temperature * (softmax(z / temperature) - softmax(v / temperature))
        weights[own] = weights[own] - learning_rate * np.einsum("bc,bf->cf", slope, x) / len(x)
    return weights


def mutual_with_sgd(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    nets = [torch.nn.Linear(first.shape[1], first.shape[0], bias=False) for _ in range(2)]
    for net, weight in zip(nets, (first, second), strict=True):
        net.weight.data.copy_(weight)
    optimizers = [torch.optim.SGD(net.parameters(), lr=learning_rate) for net in nets]
    for own, other in ((0, 1), (1, 0)):
        z = nets[own](inputs)
        with torch.no_grad():
            p = F.softmax(nets[other](inputs) / temperature, dim=-1)
        soft = F.cross_entropy(z / temperature, p) * temperature**2
        loss = (1 - lambda_) * F.cross_entropy(z, targets) + lambda_ * soft
        optimizers[own].zero_grad()
        loss.backward()
        optimizers[own].step()
    return tuple(net.weight for net in nets)


def mutual_in_place(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    weights = [first.clone().requires_grad_(), second.clone().requires_grad_()]
    for own in range(2):
        log_q, log_p = (
            F.log_softmax(inputs @ weights[k].T / temperature, 1) for k in (own, 1 - own)
        )
        kl = F.kl_div(log_q, log_p.detach(), log_target=True, reduction="sum") / len(inputs)
        hard = F.nll_loss(F.log_softmax(inputs @ weights[own].T, 1), targets)
        ((1 - lambda_) * hard + lambda_ * temperature**2 * kl).backward()
        with torch.no_grad():
            weights[own] -= learning_rate * weights[own].grad
        weights[1 - own].grad = None
    return weights[0].detach(), weights[1].detach()


def mutual_in_double(first, second, inputs, targets, temperature, lambda_, learning_rate):
    doubled = (first.double(), second.double(), inputs.double(), targets)
    numbers = {"temperature": temperature, "lambda_": lambda_, "learning_rate": learning_rate}
    return torch.stack(mutual_by_hand(*doubled, **numbers))


def targets_by_loop(logits, targets, *, lambda_, ensemble):
    rows = []
    for b, target in enumerate(targets.tolist()):
        said = [torch.softmax(z[b], 0).tolist() for z in logits]
        taught = [sum(each) / len(said[1:]) for each in zip(*said[1:], strict=True)]
        p = taught if ensemble else said[-1]
        rows.append([(1 - lambda_) * (c == target) + lambda_ * value for c, value in enumerate(p)])
    return rows


def targets_in_numpy(logits, targets, *, lambda_, ensemble):
    z = logits.numpy().astype(np.float64)
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    p = p[1:].mean(axis=0) if ensemble else p[-1]
    return (1 - lambda_) * np.eye(p.shape[1])[targets.numpy()] + lambda_ * p


def targets_by_scatter(logits, targets, *, lambda_, ensemble):
    chosen = logits[1:] if ensemble else logits[-1:]
    q = lambda_ * torch.einsum("gbc->bc", chosen.softmax(2)) / len(chosen)
    return q.scatter_add(1, targets[:, None], torch.full((len(q), 1), 1 - lambda_))


def targets_in_place(logits, targets, *, lambda_, ensemble):
    q = torch.zeros(logits.shape[1:], dtype=torch.float64)
    chosen = range(1, len(logits)) if ensemble else [len(logits) - 1]
    for g in chosen:
        q += F.softmax(logits[g].double(), dim=1) / len(chosen)
    q *= lambda_
    q[torch.arange(len(q)), targets] += 1 - lambda_
    return q


def targets_by_logs(logits, targets, *, lambda_, ensemble):
    log_p = logits - logits.logsumexp(-1, keepdim=True)
    if ensemble:
        log_p = log_p[1:].logsumexp(0, keepdim=True) - math.log(len(logits) - 1)
    return torch.lerp(F.one_hot(targets, logits.shape[-1]).float(), log_p[-1].exp(), lambda_)


def rates_by_loop(*, epochs, cycles, steps, rate):
    length, rates = epochs // cycles, []
    for epoch in range(epochs):
        for step in range(steps):
            part = (epoch % length + step / steps) / length
            rates.append(rate * (1 + math.cos(math.pi * part)) / 2)
    return rates


def rates_by_modulo(*, epochs, cycles, steps, rate):
    length = epochs * steps // cycles
    n = torch.arange(epochs * steps) % length
    return rate / 2 * (1 + torch.cos(torch.pi * n / length))


def rates_in_numpy(*, epochs, cycles, steps, rate):
    part = np.linspace(0, 1, epochs * steps // cycles, endpoint=False)
    return np.tile(rate * np.cos(np.pi * part / 2) ** 2, cycles)


def rates_of_the_scheduler(*, epochs, cycles, steps, rate):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    length = epochs // cycles * steps
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=length)
    rates = []
    for _ in range(epochs * steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def rates_by_outer(*, epochs, cycles, steps, rate):
    length = epochs // cycles * steps
    one = torch.outer(
        torch.ones(cycles), 0.5 + 0.5 * torch.cos(torch.arange(length) * torch.pi / length)
    )
    return (one.float() * rate).flatten()


def weights_by_epochs(training_losses, held_out_errors, *, patience, lambda_):
    """For each epoch, what the epochs before it were."""
    weights, dropped = [], False
    for epoch in range(len(held_out_errors)):
        before = held_out_errors[:epoch].tolist()
        if before and len(before) - 1 - before.index(min(before)) >= patience:
            dropped = True
        weights.append(0 if dropped else lambda_)
    return weights


def weights_in_numpy(training_losses, held_out_errors, *, patience, lambda_):
    errors = held_out_errors.numpy()
    best = np.minimum.accumulate(errors)
    new = np.append(True, errors[1:] < best[:-1])
    number = np.arange(len(errors))
    waited = number - np.maximum.accumulate(np.where(new, number, 0))
    stops = np.flatnonzero(waited == patience)
    return np.where(number <= (stops[0] if len(stops) else len(errors)), lambda_, 0.0)


def weights_by_cummin(training_losses, held_out_errors, *, patience, lambda_):
    kept = torch.full(held_out_errors.shape, lambda_)
    smallest = held_out_errors.cummin(0).values
    for epoch in range(patience, len(kept)):
        if smallest[epoch] == smallest[epoch - patience]:
            kept[epoch + 1 :] = 0
            break
    return kept


def weights_with_break(training_losses, held_out_errors, *, patience, lambda_):
    best_epoch, stop = 0, len(held_out_errors)
    for epoch, errors in enumerate(held_out_errors):
        if errors < held_out_errors[best_epoch]:
            best_epoch = epoch
        elif epoch - best_epoch >= patience:
            stop = epoch + 1
            break
    return [lambda_] * stop + [0.0] * (len(held_out_errors) - stop)


def weights_in_place(training_losses, held_out_errors, *, patience, lambda_):
    weights = torch.zeros(len(held_out_errors), dtype=torch.float64)
    best, left = math.inf, patience
    for epoch, errors in enumerate(held_out_errors):
        if left == 0:
            break
        weights[epoch] = lambda_
        left = patience if errors < best else left - 1
        best = min(best, int(errors))
    return weights


STYLES = {
    "hw3-q1": (
        paths_by_unique_rows,
        paths_as_texts,
        paths_as_a_tree,
        paths_by_steps,
        paths_in_double,
    ),
    "hw3-q2": (
        mutual_by_hand,
        mutual_in_numpy,
        mutual_with_sgd,
        mutual_in_place,
        mutual_in_double,
    ),
    "hw3-q3": (
        targets_by_loop,
        targets_in_numpy,
        targets_by_scatter,
        targets_in_place,
        targets_by_logs,
    ),
    "hw3-q4": (
        rates_by_loop,
        rates_by_modulo,
        rates_in_numpy,
        rates_of_the_scheduler,
        rates_by_outer,
    ),
    "hw3-q5": (
        weights_by_epochs,
        weights_in_numpy,
        weights_by_cummin,
        weights_with_break,
        weights_in_place,
    ),
}


@pytest.mark.parametrize(
    ("id", "style"), [(id, style) for id in STYLES for style in range(len(STYLES[id]))]
)
def test_five_styles_are_right(id, style):
    fn, question = STYLES[id][style], find_question(id)
    result = check(id, fn)
    assert result.status == "right", result
    for seed in range(20):
        assert not any(faults(question, fn, question.fresh_cases(seed)))


def add_up(network, costs):
    return len(network), sum(costs[s].item() for s in network)


def weights_of_the_last_best(training_losses, held_out_errors, *, patience, lambda_):
    for epoch in range(patience, len(held_out_errors)):
        before = held_out_errors[: epoch - patience + 1].min()
        if held_out_errors[epoch - patience + 1 : epoch + 1].min() > before:
            return lambda_ * (torch.arange(len(held_out_errors)) <= epoch)
    return torch.full(held_out_errors.shape, lambda_)


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        (
            "hw3-q1",
            lambda p, c: add_up([s for row in p.tolist() for s in row if s], c),
            "shared beginnings counted again",
        ),
        ("hw3-q1", lambda p, c: add_up([s for s in p.unique() if s], c), "one network a size"),
        (
            "hw3-q3",
            lambda z, y, w, e: F.one_hot(y, z.shape[-1]) * (1 - w) + w * F.softmax(z, 1)[-1],
            "softmax along the wrong axis",
        ),
        (
            "hw3-q4",
            lambda e, c, s, r: rates_by_modulo(epochs=e, cycles=1, steps=s, rate=r),
            "one cosine over all steps",
        ),
        ("hw3-q5", weights_of_the_last_best, "a tie taken for a new best"),
    ],
)
def test_mistakes_written_otherwise_are_recognised(id, fn, name):
    result = check(id, fn)
    assert result.status == "wrong" and result.cause.startswith(name)


# ---- what the texts claim, and that the schemes do the same -----------------------------------


def test_all_ways_down_need_a_power_of_two():
    for count in range(2, 7):
        ways = all_paths(list(range(1, count + 1)))
        table = torch.zeros(len(ways), count, dtype=torch.int64)
        for row, way in enumerate(ways):
            table[row, : len(way)] = tensor(way)
        assert len(ways) == 2 ** (count - 2)
        assert PATHS(table, torch.ones(count + 1)) == (2 ** (count - 1), 2 ** (count - 1))
    assert sum(map(len, all_paths([10, 6, 4, 2]))) == 12


def test_the_example_of_paths():
    costs = torch.zeros(11)
    costs[[10, 6, 4, 2]] = tensor([5.0, 3.0, 2.0, 1.0])
    assert PATHS(tensor([[10, 6, 4], [10, 6, 2]]), costs) == (4, 11)


def test_the_scheme_trains_as_many_networks():
    paths, built = [(4, 3, 2), (4, 2), (4, 4), (3, 2), (4, 2)], []

    def build(size, seed):
        built.append(size)
        return models.mlp((16, size, 3), seed=seed)

    learnt = distill_paths(
        paths,
        build,
        lambda seed: small_batches(seed=seed),
        sgd,
        epochs=1,
        temperature=2.0,
        lambda_=0.5,
    )
    table = tensor([[*path, 0][:3] for path in paths])
    costs = tensor([0.0, 0.5, 1.25, 2.5, 5.5])
    assert PATHS(table, costs) == (len(built), sum(costs[size].item() for size in built))
    assert set(learnt) == set(prefixes(paths))


def test_the_example_of_a_mutual_step():
    given = (tensor([[0.0], [0.0]]), tensor([[1.0], [0.0]]), tensor([[1.0]]), tensor([0]))
    first, second = MUTUAL(*given, 1.0, 0.5, 1.0)
    assert_close(first, tensor([[0.3655], [-0.3655]]), rtol=0, atol=5e-5)
    assert_close(second, tensor([[1.1065], [-0.1065]]), rtol=0, atol=5e-5)


def linear(weight):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3, bias=False))
    net[1].weight.data.copy_(weight)
    return net


@pytest.mark.parametrize("order", ["in turn", "at once"])
def test_the_scheme_makes_the_same_step(order):
    weights = torch.randn(2, 3, 16, generator=torch.Generator().manual_seed(0))
    nets, (images, targets) = [linear(weight) for weight in weights], small_set(8)
    optimizer = torch.optim.SGD([p for net in nets for p in net.parameters()], lr=0.7)
    batches = Batches(images, targets, batch_size=8, seed=0)
    numbers = {"temperature": 2.0, "lambda_": 0.7}
    learn_mutually(nets, batches, optimizer, epochs=1, order=order, **numbers)
    [step] = [
        mistake.variants[0]
        for mistake in find_question("hw3-q2").mistakes
        if mistake.name == "at once instead of in turn"
    ]
    step = MUTUAL if order == "in turn" else step
    expected = step(*weights, to_float(images).flatten(1), targets, 2.0, 0.7, 0.7)
    for net, weight in zip(nets, expected, strict=True):
        assert_close(net[1].weight.detach(), weight)


def test_the_first_network_s_step_is_the_same_in_both_orders():
    for case in find_question("hw3-q2").cases:
        [at_once] = find_question("hw3-q2").mistakes[0].variants
        assert torch.equal(at_once(*case.inputs.values())[0], MUTUAL(**case.inputs)[0])


def test_the_example_of_generations():
    logits = tensor([[[0.5, 0.5]], [[0.75, 0.25]], [[0.2, 0.8]]]).log()
    assert_close(TARGETS(logits, tensor([0]), 0.5, False), tensor([[0.6, 0.4]]))
    assert_close(TARGETS(logits, tensor([0]), 0.5, True), tensor([[0.7375, 0.2625]]))


@pytest.mark.parametrize("ensemble", [False, True])
def test_cross_entropy_towards_the_targets_has_the_gradient_of_the_scheme_s_loss(ensemble):
    images, targets = torch.rand(5, 1, 4, 4), tensor([0, 1, 2, 1, 0])
    grown = Generations(tuple(small_net(seed).eval() for seed in range(4)), ())
    teacher = grown.ensemble() if ensemble else grown.models[-1]
    with torch.no_grad():
        logits, heard = torch.stack([net(images) for net in grown.models]), teacher(images)
    student = torch.randn(5, 3, requires_grad=True)
    ours = losses.distillation_loss(student, heard, targets, temperature=1.0, lambda_=0.3)
    theirs = F.cross_entropy(student, TARGETS(logits, targets, 0.3, ensemble))
    assert_close(*(torch.autograd.grad(loss, student)[0] for loss in (ours, theirs)))


def test_the_example_of_rates():
    rates = RATES(4, 2, 2, 0.1)
    assert_close(rates.float(), tensor([0.1, 0.0854, 0.05, 0.0146] * 2), rtol=0, atol=5e-5)


def test_the_scheme_has_the_same_rates():
    model, batches, rates = small_net(), small_batches(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    optimizer.register_step_pre_hook(lambda *_: rates.append(optimizer.param_groups[0]["lr"]))
    distill_snapshots(model, batches, optimizer, epochs=6, cycles=3, temperature=2.0, lambda_=0.5)
    assert_close(tensor(rates, dtype=torch.float64), RATES(6, 3, len(batches), 0.3))


def test_a_step_of_49_is_rounded_up():
    assert len(torch.arange(0, 1, 1 / 49)) == 50


def test_the_example_of_early_stops():
    weights = WEIGHTS(torch.rand(5), tensor([9, 7, 8, 7, 6]), 2, 0.5)
    assert weights.tolist() == [0.5, 0.5, 0.5, 0.5, 0]


def test_a_weight_does_not_know_the_future():
    for case in find_question("hw3-q5").fresh_cases(3):
        losses_, errors, patience, lambda_ = case.inputs.values()
        whole = WEIGHTS(*case.inputs.values())
        for known in range(1, len(errors)):
            other = errors.clone()
            other[known:] = torch.randint(200, (len(errors) - known,))
            assert torch.equal(
                WEIGHTS(losses_, other, patience, lambda_)[: known + 1], whole[: known + 1]
            )


# ---- the notebook ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(source_path(HOMEWORK), as_version=4)


def test_every_question_has_an_answer_and_a_check(notebook):
    assert_cells_are_the_specs(HOMEWORK, notebook)


def test_the_notebooks_minutes_and_points_are_those_of_the_specs(notebook):
    assert_minutes_and_points_are_told(HOMEWORK, notebook)
    assert {q.seconds for q in HOMEWORK.questions} == {5.0}
    assert {q.memory for q in HOMEWORK.questions} == {1024}
    assert "may take 5 seconds of CPU time and 1 GiB of memory" in told(notebook)


def test_solutions_are_right(notebook):
    assert_solutions_are_right(HOMEWORK, notebook)


def test_explanations_are_for_instructors(notebook):
    assert_explanations_are_for_instructors(HOMEWORK, notebook)


def test_cells_are_short(notebook):
    assert_code_is_short(notebook)
