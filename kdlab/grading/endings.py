"""How a child ended, in words: a crash or a time-out is a status, not a silent zero."""

import signal

from kdlab.grading.diagnose import Fault
from kdlab.grading.sandbox.lane import Ending
from kdlab.grading.spec import Question

_TEXTS = {
    "SIGSEGV": "a segmentation fault",
    "SIGABRT": "an abort in compiled code",
    "SIGFPE": "an arithmetic fault in compiled code",
    "SIGILL": "an illegal instruction",
    "SIGBUS": "a bus error",
    "SIGKILL": "a kill signal",
    "SIGTERM": "a termination signal",
    "SIGSYS": "a forbidden system call",
}
# Windows has few signals.
_NAMES = {getattr(signal, name): text for name, text in _TEXTS.items() if hasattr(signal, name)}
_TIME_SIGNAL = getattr(signal, "SIGXCPU", None)
EXCEPTIONAL = ("timed out", "crashed", "out of memory")


def how_it_ended(ending: Ending, question: Question) -> Fault:
    """Return the fault of every case that never came back."""
    if ending.signal == _TIME_SIGNAL or ending.cpu >= question.seconds:
        return Fault("timed out", "", f"took longer than {question.seconds:g} s for this question")
    if ending.why == "time":
        told = f"waited for something, or the machine was too busy: {ending.cpu:.1f} s of CPU used"
        return Fault("timed out", "", told)
    if ending.why == "disk":
        return Fault("crashed", "", "wrote more to disk than is allowed")
    if ending.bad:
        return Fault("crashed", "", f"sent what can't be read: {ending.bad}")
    if ending.signal:
        name = _NAMES.get(ending.signal, f"signal {ending.signal}")
        return Fault("crashed", "", f"the process was ended by {name}")
    return Fault("crashed", "", "the process ended before the answer came", cause=_EXITED)


_EXITED = "Something in the answer ends Python, for example os._exit."


def is_out_of_memory(message: str) -> bool:
    """Tell whether an error's message is about memory, numpy's, torch's or Python's."""
    signs = ("MemoryError", "can't allocate memory", "Unable to allocate", "not enough memory")
    return any(sign in message for sign in signs)
