"""The grid behind lecture 02's heat map, at two widths: which T, which lambda?"""

from dataclasses import replace
from itertools import product

from kdlab.experiments.hinton_mnist import LABELS, NARROW, TEACHER
from kdlab.experiments.hinton_rows import PAPER, TEMPERATURES
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.units import Unit

LAMBDAS = (0.5, 0.9, 1.0)
WIDE = replace(LABELS, widths=(784, 300, 300, 10))
STUDENTS = {30: NARROW, 300: WIDE}
CELLS = tuple(product(STUDENTS, TEMPERATURES, LAMBDAS))

EXPERIMENT = Experiment(
    name="temperature-lambda",
    measures="How a student's errors depend on T and lambda, for 30 and for 300 hidden units.",
    paper=f"{PAPER}: with 300 units all T above 8 alike, with 30 units T = 2.5 to 4 best",
    dataset="mnist",
    units=(
        Unit("teacher", TEACHER),
        *(Unit(f"{width}-labels", recipe) for width, recipe in STUDENTS.items()),
        *(
            Unit(
                f"{width}-T{t:g}-lambda{weight:g}",
                replace(STUDENTS[width], temperature=t, lambda_=weight),
                ("teacher",),
            )
            for width, t, weight in CELLS
        ),
    ),
    rows=(
        *(Row(f"{w}-labels", f"{w}-labels", f"2 x {w}, labels only") for w in STUDENTS),
        *(
            Row(
                f"{width}-T{t:g}-lambda{weight:g}",
                f"{width}-T{t:g}-lambda{weight:g}",
                f"2 x {width}, T = {t:g}, lambda = {weight:g}",
            )
            for width, t, weight in CELLS
        ),
    ),
    seeds=3,
)
