"""Run every benchmark; what `make bench` does.

python -m tests.benchmarks              all
python -m tests.benchmarks training     one: training, relations, batchnorm, condense,
                                        codistillation, widgets, lectures, grading
"""

import importlib
import sys

NAMES = ("training", "relations", "batchnorm", "condense", "codistillation")
NAMES += ("widgets", "lectures", "grading")

for name in sys.argv[1:] or NAMES:
    if name not in NAMES:
        sys.exit(f"unknown benchmark {name!r}; there are {', '.join(NAMES)}")
    importlib.import_module(f"tests.benchmarks.{name}").main()
