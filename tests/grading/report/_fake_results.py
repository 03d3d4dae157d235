"""Made-up results of a class that has every kind of trouble."""

import json
import random
from pathlib import Path

EVIL = "<script>alert(1)</script>"
TITLES = {
    "hw1-q1": "Tempered softmax",
    "hw1-q2": "Entropy of softened predictions",
    "hw1-q3": "Soft-target loss with T squared",
    "hw1-q4": "Find the temperature by bisection",
    "hw1-q5": "Distill a small network",
}
MAXIMA = {"hw1-q1": 3.0, "hw1-q2": 3.0, "hw1-q3": 4.0, "hw1-q4": 4.0, "hw1-q5": 6.0}
STATUSES = (
    "right",
    "partly",
    "wrong",
    "not answered",
    "error",
    "timed out",
    "crashed",
    "out of memory",
)
STOPPED = ("timed out", "crashed", "out of memory")
WALLS = "Landlock 7, seccomp, bubblewrap"
NAMES = [
    "Ivanova Anna",
    "Иванов Пётр Сергеевич",
    "Ёлкина Дарья",
    "王小明",
    "欧阳娜娜",
    "Ivanova Anna",
    EVIL,
    "=cmd|' /C calc'!A0",
    "student10",
    "student2",
    'O\'Brien "Bob" & Sons',
    "Élodie Dupont-Durand",
    "\u202eevil\u2066 name\x1b[31m",
    "محمد علي",
    "Nguyễn Thị Minh Khai",
    "Wolfeschlegelsteinhausenbergerdorff" * 3,
    "Z̴̡͇̦̮̫̗̤͖̗͈͊͑̿̓̑̂a̷̛̘̲̗͂̊l̶̢̝̦̆͂g̵̛̙o̵̡͐",
]
MISTAKES = {
    "hw1-q1": [("not divided by T", "The logits are multiplied by T; they are divided by it.")],
    "hw1-q2": [("logarithm to base 2", "The entropy is in bits; nats are asked for.")],
    "hw1-q3": [
        ("T squared is missing", "Without T^2 the gradients shrink as T grows."),
        ("sum instead of mean", "The loss is summed over the batch; its mean is asked for."),
    ],
    "hw1-q4": [("wrong half kept", "The bisection keeps the half that does not hold the root.")],
    "hw1-q5": [],
}
WEIGHTS = {
    "right": 14,
    "partly": 4,
    "wrong": 5,
    "not answered": 2,
    "error": 2,
    "timed out": 1,
    "crashed": 0.5,
    "out of memory": 0.5,
}
MESSAGES = {
    "right": "all cases are right",
    "partly": "2 of 3 cases are right",
    "wrong": "the value differs",
    "not answered": "there is no answer yet",
    "error": "ZeroDivisionError: division by zero, in line 3: return a / 0",
    "timed out": "it ran longer than 10 s",
    "crashed": "the process ended with signal 11",
    "out of memory": "it asked for more than 1024 MiB",
}
SPECIMEN = "tensor([[0.0900, 0.2447, 0.6652],\n        [0.0900, 0.2447, 0.6652]])"


def fake_question(dice: random.Random, id: str, status: str, *, output: str = "") -> dict:
    """Return one question that ended like this."""
    maximum = MAXIMA[id]
    right = {"right": 3, "partly": 2}.get(status, 0)
    failed = status in ("partly", "wrong")
    mistake, cause = dice.choice(MISTAKES[id]) if MISTAKES[id] and failed else ("", "")
    names = ("two rows", "large logits", "T = 0.5")
    return {
        "id": id,
        "title": TITLES[id],
        "status": status,
        "points": maximum * right / 3,
        "maximum": maximum,
        "message": MESSAGES[status],
        "case": "tempered_softmax(tensor([[1., 2., 3.], [4., 5., 6.]]), 1.7)" if failed else "",
        "expected": SPECIMEN if failed else "",
        "got": SPECIMEN.replace("0.6652", "0.9999") if failed else "",
        "mistake": mistake,
        "cause": cause,
        "uses": {"hw1-q1": dice.choice(["own", "reference"])} if id == "hw1-q3" else {},
        "output": output,
        "seconds": 10.0 if status == "timed out" else dice.uniform(0.01, 0.9),
        "cases": []
        if status in STOPPED
        else [
            {
                "name": n,
                "weight": 1.0,
                "right": i < right,
                "message": "" if i < right else "differs",
            }
            for i, n in enumerate(names)
        ],
    }


def fake_result(index: int, student: str, *, status: str = "", **changes) -> dict:
    """Return one submission; its answers come from the index."""
    dice = random.Random(index)
    kinds = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=len(TITLES))
    printed = "".join(f"epoch {i}: loss {1 / (i + 1):.4f}\n" for i in range(30))
    asked = [
        fake_question(dice, id, kind, output=printed if dice.random() < 0.3 else "")
        for id, kind in zip(TITLES, kinds, strict=True)
    ]
    stopped = [q["id"] for q in asked if q["status"] in STOPPED]
    status = status or ("check by hand" if stopped else "graded")
    reasons = {
        "graded": "",
        "check by hand": f"{', '.join(stopped)} was stopped by the sandbox.",
        "not graded": "The file is no notebook: it ends in the middle of a cell.",
    }
    graded = status != "not graded"
    return {
        "format": 1,
        "homework": "hw1",
        "student": student,
        "file": f"submissions/{index}/hw1_temperature.ipynb",
        "digest": f"{dice.getrandbits(256):064x}",
        "seed": dice.getrandbits(31),
        "status": status,
        "reason": reasons[status],
        "isolation": WALLS,
        "points": sum(q["points"] for q in asked) if graded else None,
        "maximum": 20.0,
        "seconds": sum(q["seconds"] for q in asked) if graded else 0.01,
        "notes": ["The answer to hw1-q2 stood in a cell without an id."] if index % 9 == 4 else [],
        "versions": {"kdlab": "0.1", "python": "3.11.7", "torch": "2.15.0", "numpy": "2.1.0"},
        "graded": f"2026-11-21T07:{index % 60:02d}:00+00:00",
        "questions": asked if graded else [],
    } | changes


def fake_class(count: int = 40) -> dict[str, dict]:
    """Return key -> result; the first dozen hold every status and the oddest names."""
    found = {}
    for seed in range(count):
        student = NAMES[seed] if seed < len(NAMES) else f"Student {seed} of the class"
        found[f"sub_{seed:04d}"] = fake_result(seed, student)
    for key in ("sub_0003", "sub_0020"):
        if key in found:
            found[key] = fake_result(int(key[4:]), found[key]["student"], status="not graded")
    found["sub_0001"]["isolation"] = "unisolated: this is Windows"
    found["sub_0001"]["status"] = "check by hand"
    found["sub_0001"]["reason"] = "The grade is unisolated."
    showcase = fake_result(0, NAMES[0], status="check by hand")
    dice = random.Random(0)
    kinds = [*STATUSES][: len(TITLES)]
    showcase["questions"] = [
        fake_question(dice, id, kind, output=f"{EVIL}\x1b[2J\u202e")
        for id, kind in zip(TITLES, kinds, strict=True)
    ]
    showcase["points"] = sum(question["points"] for question in showcase["questions"])
    showcase["reason"] = "An answer stood in an unusual place."
    found["sub_0000"] = showcase
    stopped = fake_result(5, NAMES[5], status="check by hand")
    stopped["questions"] = [
        fake_question(dice, id, kind, output="working ...\n")
        for id, kind in zip(TITLES, [*STATUSES[-3:], "right", "partly"], strict=True)
    ]
    stopped["points"] = sum(question["points"] for question in stopped["questions"])
    stopped["reason"] = "hw1-q1, hw1-q2, hw1-q3 were stopped by the sandbox."
    found["sub_0005"] = stopped
    return found


def write_results(grades: Path, results: dict[str, dict]) -> Path:
    """Write each as results/<key>.json and return the folder."""
    (grades / "results").mkdir(parents=True, exist_ok=True)
    for key, result in results.items():
        (grades / "results" / f"{key}.json").write_text(json.dumps(result), "utf-8")
    return grades
