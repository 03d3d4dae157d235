"""The words in which a sandbox says whether it isolates; a grade carries them."""

_NONE = "unisolated: "


def unisolated(why: str) -> str:
    """Say that there is no isolation, and why."""
    return _NONE + why


def is_isolated(said: str) -> bool:
    """Tell whether a grade was made behind walls, by what its sandbox said."""
    return not said.startswith(_NONE)
