"""Hostile answers to one question, each with what is fair to give for it.

Each is the text of an answer cell to ``hw1-q2``, entropy(probabilities). ``RIGHT`` is put in
front where the answer is right as well: tricks that don't help must not harm either.
"""

from dataclasses import dataclass

RIGHT = """
import torch
def right(probabilities):
    return -torch.special.xlogy(probabilities, probabilities).sum(dim=-1)
"""


@dataclass(frozen=True)
class Attack:
    """An answer and its due: a status, and whether it gets the question's points.

    Attributes:
        name: What it tries.
        code: The cell. ``{out}``, ``{others}`` and ``{repository}`` stand for paths.
        statuses: The statuses that are fair.
        full: Whether the points are due.
    """

    name: str
    code: str
    statuses: tuple[str, ...]
    full: bool = False


def _body(text: str) -> str:
    lines = "\n".join(f"    {line}" for line in text.strip().splitlines())
    return f"{RIGHT}\ndef entropy(probabilities):\n{lines}\n"


def _wrong(name: str, text: str, *statuses: str) -> Attack:
    return Attack(name, _body(text), statuses or ("wrong",))


def _right(name: str, text: str) -> Attack:
    return Attack(name, _body(text), ("right",), full=True)


_EQUAL = """
class Equal{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __le__(self, other): return True
    def __array__(self, *a, **k): return self
    def __float__(self): return 0.0
    __hash__ = None
"""
_FRAMES = """
import os, socket, struct
lines = []
for number in range(3, 64):
    try:
        lines.append(socket.socket(fileno=os.dup(number)))
    except OSError:
        pass
"""

ENDLESS = (
    _wrong(
        "a loop that swallows interrupts",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "timed out",
    ),
    _wrong(
        "a loop behind ignored signals",
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass",
        "timed out",
    ),
    _wrong("sleep on the device", "import time\ntime.sleep(10_000)", "timed out"),
    _wrong("printing without end", "while True: print('x' * 10_000)", "timed out"),
    _wrong(
        "an exception whose text never comes",
        "class Evil(Exception):\n    def __str__(self):\n        while True: pass\nraise Evil",
        "timed out",
    ),
    _wrong("an endless generator", "return iter(int, 1)", "wrong"),
    Attack("a loop while the cell runs", "while True: pass", ("timed out",)),
)

RESOURCES = (
    _wrong("30 GB", "return torch.zeros(30 * 2**28)", "out of memory"),
    _wrong(
        "30 GB, byte by byte", "x = b'x' * 2**20\nwhile True: x += x", "out of memory", "timed out"
    ),
    _wrong(
        "forks",
        "import os\nwhile True:\n    os.fork()",
        "error",
    ),
    _wrong(
        "a daemon by double fork",
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        while True: pass\nreturn right(probabilities)",
        "error",
    ),
    _wrong(
        "threads without number",
        "import threading, time\nall = [threading.Thread(target=time.sleep, args=(99,))"
        " for _ in range(10**6)]\n[t.start() for t in all]",
        "error",
        "out of memory",
        "timed out",
        "crashed",
    ),
    _wrong(
        "a gigabyte on disk",
        "import os\nfor n in range(1000):\n    with open(f'f{n}', 'wb') as f:\n"
        "        f.write(bytes(2**20)); f.flush(); os.fsync(f.fileno())",
        "crashed",
        "error",
        "timed out",
    ),
    _wrong(
        "folders nested without end",
        "import os\nfor n in range(10**6):\n    os.mkdir('d'); os.chdir('d')",
        "crashed",
        "timed out",
    ),
    _wrong(
        "empty files without end",
        "for n in range(10**7): open(f'e{n}', 'w').close()",
        "crashed",
        "timed out",
    ),
    _wrong(
        "memory in files that have no name",
        "import os\nkept = [os.memfd_create(str(n)) for n in range(200)]\n"
        "for f in kept: os.write(f, bytes(2**24))\nreturn 0.0",
        "error",
    ),
    _wrong("one file of 10 GB", "open('big', 'wb').truncate(10 * 2**30)", "error", "crashed"),
    _wrong("a huge array", "return torch.zeros(1).expand(2**40)", "wrong"),
    _wrong("a huge number", "return 10 ** 50_000", "wrong"),
    _wrong("a huge text", "return 'x' * 10**8", "wrong", "crashed", "out of memory"),
    _right("100 MB of output", "print('x' * 10**8)\nreturn right(probabilities)"),
    _right(
        "100 MB past Python's own streams",
        "import os\nfor _ in range(100): os.write(1, b'y' * 2**20)\nreturn right(probabilities)",
    ),
)

CRASHES = (
    _wrong("os._exit", "import os\nos._exit(0)", "crashed"),
    _wrong("sys.exit", "import sys\nsys.exit(0)", "error"),
    _wrong("KeyboardInterrupt", "raise KeyboardInterrupt", "error", "crashed"),
    _wrong("SIGKILL to itself", "import os, signal\nos.kill(os.getpid(), 9)", "crashed"),
    _wrong("a segmentation fault", "import ctypes\nctypes.string_at(0)", "crashed"),
    _wrong("an abort", "import os\nos.abort()", "crashed"),
    _wrong(
        "deep recursion in Python",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f() + 1\nreturn f()",
        "crashed",
        "out of memory",
        "timed out",
        "error",
    ),
    _wrong("plain recursion", "return entropy(probabilities)", "error"),
    _wrong(
        "deep recursion in C",
        "import sys, json\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\n"
        "return json.dumps(x)",
        "crashed",
        "error",
        "out of memory",
    ),
    _wrong("a list that holds itself", "x = []\nx.append(x)\nreturn x", "wrong"),
    _wrong("a nest of lists", "x = 1.0\nfor _ in range(10**5): x = [x]\nreturn x", "wrong"),
    _wrong(
        "a destructor that exits",
        "import os\nclass D:\n    def __del__(self): os._exit(0)\nreturn D()",
        "wrong",
        "crashed",
    ),
    _wrong("input", "return float(input('points? '))", "error"),
)

FORGERIES = (
    _wrong(
        "numpy.testing patched",
        "import numpy as np, numpy.testing\nfor n in dir(numpy.testing):\n"
        "    if n.startswith('assert'): setattr(numpy.testing, n, lambda *a, **k: None)\n"
        "np.isclose = np.allclose = np.array_equal = lambda *a, **k: True\nreturn probabilities",
    ),
    _wrong(
        "builtins patched",
        "import builtins\nbuiltins.all = builtins.any = builtins.isinstance = "
        "lambda *a, **k: True\nbuiltins.abs = lambda x: 0\nreturn probabilities",
        "wrong",
        "error",
        "crashed",
    ),
    _wrong(
        "torch patched",
        "torch.allclose = torch.equal = lambda *a, **k: True\n"
        "torch.Tensor.__eq__ = lambda *a: True\ntorch.Tensor.to = lambda s, *a, **k: s\n"
        "return probabilities",
        "wrong",
        "error",
        "crashed",
    ),
    Attack(
        "asserts stripped from every cell",
        RIGHT + "import ast, sys\nclass Strip(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "try:\n    get_ipython().ast_transformers.append(Strip())\nexcept NameError:\n    pass\n"
        "def entropy(probabilities): return 0.0\n",
        ("wrong",),
    ),
    Attack(
        "IPython patched",
        "import sys, types\nfake = types.ModuleType('IPython')\n"
        "fake.get_ipython = lambda: None\nsys.modules['IPython'] = fake\n"
        "def check(*a, **k): return True\ndef entropy(probabilities): return 0.0\n",
        ("wrong",),
    ),
    Attack(
        "an object equal to everything",
        _EQUAL.replace("{base}", "") + "def entropy(probabilities): return Equal()\n",
        ("wrong",),
    ),
    Attack(
        "an array equal to everything",
        "import numpy as np"
        + _EQUAL.replace("{base}", "(np.ndarray)")
        + "def entropy(probabilities): return np.zeros(len(probabilities)).view(Equal)\n",
        ("wrong", "error"),
    ),
    Attack(
        "a tensor equal to everything",
        "import torch"
        + _EQUAL.replace("{base}", "(torch.Tensor)")
        + "def entropy(probabilities): return torch.zeros(len(probabilities)).as_subclass(Equal)\n",
        ("wrong", "error"),
    ),
    _wrong(
        "a float equal to everything",
        "class F(float):\n    __eq__ = lambda *a: True\n    __hash__ = None\nreturn F(0)",
    ),
    _wrong(
        "the stack walked for the reference",
        "import sys\nframe = sys._getframe()\nwhile frame:\n"
        "    for name, value in {**frame.f_globals, **frame.f_locals}.items():\n"
        "        if 'reference' in name and callable(value): return value(probabilities)\n"
        "        if 'expected' in name: return value\n    frame = frame.f_back\nreturn 0.0",
    ),
    _wrong(
        "the collector walked for the reference",
        "import gc\nfor thing in gc.get_objects():\n"
        "    if type(thing).__name__ in ('Question', 'Homework', 'Observation'):\n"
        "        return thing.reference(probabilities)\n"
        "    if getattr(thing, '__name__', '') == 'entropy' and thing is not entropy:\n"
        "        return thing(probabilities)\nreturn 0.0",
        "wrong",
        "error",
        "timed out",
    ),
    _wrong(
        "the grader's functions patched where they lie",
        "import gc, types\nfor f in [o for o in gc.get_objects() if isinstance(o, "
        "types.FunctionType)]:\n    if (f.__module__ or '').startswith('kdlab'):\n"
        "        f.__code__ = (lambda *a, **k: None).__code__\nreturn 0.0",
        "wrong",
        "error",
        "crashed",
        "not answered",
    ),
    Attack(
        "frames forged on the line",
        _FRAMES + "def entropy(probabilities):\n    import json\n"
        "    for line in lines:\n        head = json.dumps({'kind': 'seen', 'value': "
        "{'tuple': []}, 'described': 'right', 'gradients': {'dict': []}, 'changed': [], "
        "'points': 99, 'status': 'right'}).encode()\n"
        "        body = struct.pack('>I', len(head)) + head\n"
        "        for _ in range(9): line.sendall(struct.pack('>Q', len(body)) + body)\n"
        "    os._exit(0)\n",
        ("wrong", "crashed"),
    ),
    Attack(
        "an npy header that lies",
        _FRAMES + "def entropy(probabilities):\n    import json\n"
        "    text = \"{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,), }\".ljust(117)\n"
        "    npy = b'\\x93NUMPY\\x01\\x00v\\x00' + text.encode() + b'\\n' + bytes(8)\n"
        "    head = json.dumps({'kind': 'seen', 'value': {'npy': 0}, 'described': '', "
        "'gradients': {'dict': []}, 'changed': []}).encode()\n"
        "    body = struct.pack('>I', len(head)) + head + struct.pack('>Q', len(npy)) + npy\n"
        "    for line in lines: line.sendall(struct.pack('>Q', len(body)) + body)\n"
        "    os._exit(0)\n",
        ("crashed",),
    ),
    Attack(
        "a frame of a terabyte announced",
        _FRAMES + "def entropy(probabilities):\n"
        "    for line in lines: line.sendall(struct.pack('>Q', 2**40) + bytes(99))\n"
        "    os._exit(0)\n",
        ("crashed",),
    ),
    Attack(
        "a frame of a million small lists",
        _FRAMES + "def entropy(probabilities):\n"
        "    head = b'{\"kind\": [' + b'[],' * 10**6 + b'[]]}'\n"
        "    body = struct.pack('>I', len(head)) + head\n"
        "    for line in lines: line.sendall(struct.pack('>Q', len(body)) + body)\n"
        "    os._exit(0)\n",
        ("crashed",),
    ),
    Attack(
        "a frame of a hundred thousand arrays",
        _FRAMES + "def entropy(probabilities):\n    import io, numpy\n"
        "    file = io.BytesIO()\n    numpy.save(file, numpy.zeros(1))\n"
        '    npy = file.getvalue()\n    head = b\'{"kind": "seen"}\'\n'
        "    body = struct.pack('>I', len(head)) + head\n"
        "    body += 10**5 * (struct.pack('>Q', len(npy)) + npy)\n"
        "    for line in lines: line.sendall(struct.pack('>Q', len(body)) + body)\n"
        "    os._exit(0)\n",
        ("crashed",),
    ),
    Attack(
        "a pickle on the line",
        _FRAMES + "def entropy(probabilities):\n    import pickle\n    class P:\n"
        "        def __reduce__(self): return (os.system, ('touch {out}/pickled',))\n"
        "    data = pickle.dumps(P())\n"
        "    for line in lines: line.sendall(struct.pack('>Q', len(data)) + data)\n"
        "    return P()\n",
        ("crashed", "wrong"),
    ),
    _wrong("an object array", "import numpy as np\nreturn np.array([object()] * 3)"),
    _wrong("a 0-d array", "import numpy as np\nreturn np.array(1.0)"),
    _wrong("an array of texts", "import numpy as np\nreturn np.array(['a', 'b'])"),
    _wrong("NaN", "return torch.full((len(probabilities),), float('nan'))"),
    _wrong("infinities", "return torch.full((len(probabilities),), float('inf'))"),
    _wrong("complex numbers", "return right(probabilities) + 0j"),
    _wrong("a masked array", "import numpy as np\nreturn np.ma.masked_all(len(probabilities))"),
    _wrong("nothing", "x = right(probabilities)"),
)

THEFTS = (
    _wrong(
        "the grader's memory through /proc",
        "import os\np = os.getppid()\nreturn str([open(f'/proc/{n}/{f}', 'rb').read(99)"
        " for n in (p, 1) for f in ('environ', 'maps', 'mem')])",
        "error",
    ),
    _wrong(
        "the solution read from the source",
        "import json\ncells = json.load(open('{repository}/notebooks/homework/"
        "hw1_temperature.ipynb'))['cells']\nspace = {}\nfor cell in cells:\n"
        "    if cell.get('id') == 'hw1-q2': exec(''.join(cell['source']), space)\n"
        "return space['entropy'](probabilities)",
        "error",
    ),
    _wrong(
        "the release read",
        "return open('{repository}/notebooks/homework/release/hw1_temperature.ipynb').read()",
        "error",
    ),
    _wrong(
        "the specs imported",
        "from kdlab.grading.questions import hw1_temperature\n"
        "return hw1_temperature.QUESTIONS[1].reference(probabilities)",
        "error",
    ),
    _wrong(
        "the specs imported from their folder",
        "import sys\nsys.path.insert(0, '{repository}')\nsys.meta_path.pop(0)\n"
        "for n in [n for n in sys.modules if n.startswith('kdlab')]: del sys.modules[n]\n"
        "from kdlab.metrics import entropy as e\nreturn e(probabilities)",
        "error",
    ),
    _wrong(
        "the digits' labels read",
        "import sklearn.datasets\nreturn str(sklearn.datasets.load_digits().target)",
        "error",
    ),
    _wrong(
        "another submission read",
        "import glob\nreturn open('{others}/victim 1.ipynb').read()",
        "error",
    ),
    _wrong(
        "another submission overwritten",
        "open('{others}/victim 1.ipynb', 'w').write('gone')\nreturn 0.0",
        "error",
    ),
    _wrong(
        "another submission made unreadable",
        "import os\nos.chmod('{others}/victim 1.ipynb', 0)\nreturn 0.0",
        "error",
    ),
    _wrong(
        "another submission removed by rename",
        "import os\nos.rename('{others}/victim 1.ipynb', '{others}/x')\nreturn 0.0",
        "error",
    ),
    _wrong(
        "the gradebook rewritten",
        "import glob\nfor path in ['{out}/run.json', '{out}/grades.csv',"
        " '{out}/results/me.json']:\n    open(path, 'w').write('{}')\nreturn 0.0",
        "error",
    ),
    _wrong(
        "everything deleted",
        "import shutil\nshutil.rmtree('{out}', ignore_errors=True)\n"
        "shutil.rmtree('{others}', ignore_errors=True)\nshutil.rmtree('{repository}/assets', "
        "ignore_errors=True)\nreturn 0.0",
    ),
    _wrong(
        "a symbolic link out of the box",
        "import os\nos.symlink('{others}', 'link')\nreturn open('link/victim 1.ipynb').read()",
        "error",
    ),
    _wrong("a socket", "import socket\nsocket.socket()\nreturn 0.0", "error"),
    _wrong(
        "a download",
        "import urllib.request\nreturn urllib.request.urlopen('http://127.0.0.1:80').read()",
        "error",
    ),
    _wrong("a shell", "import os\nreturn os.popen('id').read()", "error"),
    _wrong(
        "a shell through os.system",
        "import os\nos.system('touch {out}/owned')\nreturn 0.0",
    ),
    _wrong(
        "SIGKILL to the parent",
        "import os\nos.kill(os.getppid(), 9)\nreturn 0.0",
        "error",
    ),
    _wrong("SIGKILL to all", "import os\nos.kill(-1, 9)\nreturn 0.0", "error"),
    _wrong(
        "ptrace on the parent",
        "import ctypes, os\nr = ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), 0, 0)\n"
        "if r: raise OSError(ctypes.get_errno(), 'ptrace')\nreturn 0.0",
        "error",
    ),
    _wrong(
        "shared memory that stays",
        "import ctypes\nr = ctypes.CDLL(None, use_errno=True).shmget(4711, 2**20, 0o1666)\n"
        "if r < 0: raise OSError(ctypes.get_errno(), 'shmget')\nreturn 0.0",
        "error",
    ),
)

HARMLESS = (
    _right(
        "another folder, environment and mask",
        "import os\nos.chdir('/')\nos.environ.clear()\nos.umask(0)\nreturn right(probabilities)",
    ),
    _right(
        "a thread that goes on",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(999,)).start()\n"
        "return right(probabilities)",
    ),
    _right(
        "a daemon thread that spins",
        "import threading\ndef spin():\n    while True: pass\n"
        "threading.Thread(target=spin, daemon=True).start()\nreturn right(probabilities)",
    ),
    _right(
        "files in the private folder",
        "import numpy as np, tempfile\nnp.save('mine.npy', np.arange(3))\n"
        "with tempfile.TemporaryFile() as f: f.write(b'x')\nassert len(np.load('mine.npy')) == 3\n"
        "return right(probabilities)",
    ),
    _right(
        "an exit handler that kills",
        "import atexit, os\natexit.register(os._exit, 7)\nreturn right(probabilities)",
    ),
    _right(
        "streams closed",
        "import os, sys\nsys.stdout.close()\nfor number in (0, 1, 2):\n    try: os.close(number)\n"
        "    except OSError: pass\nreturn right(probabilities)",
    ),
    _right(
        "a tracer set",
        "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n"
        "return right(probabilities)",
    ),
    _right(
        "warnings turned into errors",
        "import warnings\nwarnings.simplefilter('error')\nreturn right(probabilities)",
    ),
)

ATTACKS = (*ENDLESS, *RESOURCES, *CRASHES, *FORGERIES, *THEFTS, *HARMLESS)
