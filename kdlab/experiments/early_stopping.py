"""When to stop: the student's hearing of a large teacher, or the teacher's own training.

Cho and Hariharan find on ImageNet that a large teacher makes a student worse if it is heard to
the end, and that both early stops help. Here the networks, the images and the settings are those
of `assistants`: the teacher has 10 layers, the student 2.

A teacher that was stopped early is one that was trained for fewer epochs, its rate falling to 0
in them, as in the paper; it costs less. The controls at the end have the time that the dearest
remedy, the assistant's way, takes in all: they train the student longer instead.
"""

from kdlab.experiments.assistants import DATA, EPOCHS, EXAMPLES, TAUGHT, name_of, recipe, unit_of
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.units import Unit

#: ImageNet, ResNet-18, top-1 error in %, read in another text: labels, and by ResNet-34 and -50
#: to the end and with the student's early stop.
PUBLISHED = {"labels": 30.24, "to the end": (30.79, 30.95), "stopped": (29.16, 29.35)}
PAPER = "Cho and Hariharan 2019, arXiv:1910.01348, on ImageNet"

#: After how many epochs the student stops to hear, and for how many the teacher learns.
STOPS = (25, 50, 75)
TEACHERS = (5, 15, 40)
#: A student of 2 layers takes about so many times as long with the assistant's training beside it.
LONGER = 3

_TEACHER, _ASSISTANT, _STUDENT = (10,), (10, 4), (10, 4, 2)
_KNOWN = ((2,), _TEACHER, _ASSISTANT, _STUDENT, (10, 2))


def _units(data: str) -> tuple[Unit, ...]:
    given = {"examples": EXAMPLES, "dataset": data}
    heard = {"teachers": (name_of(data, _TEACHER),)} | given
    long = {"epochs": LONGER * EPOCHS}
    units = [unit_of(data, path) for path in _KNOWN]
    for count in STOPS:
        units.append(Unit(f"{data}-stop-{count}", recipe(2, stop_soft_at=count, **TAUGHT), **heard))
    for count in TEACHERS:
        name = f"{data}-teacher-{count}"
        units.append(Unit(name, recipe(10, epochs=count), **given))
        units.append(Unit(f"{data}-by-{count}", recipe(2, **TAUGHT), (name,), **given))
    units.append(Unit(f"{data}-labels-long", recipe(2, **long), **given))
    units.append(Unit(f"{data}-taught-long", recipe(2, **long, **TAUGHT), **heard))
    return tuple(units)


def _texts() -> dict[str, str]:
    texts = {"2": "labels only", "10": "the teacher, 10 layers", "10-2": "heard to the end"}
    texts |= {f"stop-{count}": f"heard for {count} epochs of {EPOCHS}" for count in STOPS}
    texts |= {f"teacher-{count}": f"the teacher after {count} epochs" for count in TEACHERS}
    texts |= {f"by-{count}": f"heard the teacher of {count} epochs" for count in TEACHERS}
    texts |= {"10-4-2": "with an assistant of 4 layers"}
    texts |= {"labels-long": f"labels only, {LONGER} times as long"}
    return texts | {"taught-long": f"heard to the end, {LONGER} times as long"}


EXPERIMENT = Experiment(
    name="early-stopping",
    measures="Does a student gain if it stops to hear its teacher, or if the teacher stops early?",
    paper=PAPER,
    dataset="mnist",
    units=tuple(unit for data in DATA for unit in _units(data)),
    rows=tuple(
        Row(f"{data}-{what}", f"{data}-{what}", f"{title}, {text}")
        for data, title in DATA.items()
        for what, text in _texts().items()
    ),
)
