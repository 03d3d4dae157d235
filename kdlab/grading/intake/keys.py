"""File-names for results, from whatever students are called."""

import hashlib
import re
import unicodedata

_LONGEST = 60
_RESERVED = re.compile(r"(?:con|prn|aux|nul|clock\$|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_HASHED = re.compile(r".*-[0-9a-f]{10,}\Z")


def key_of(identity: str, taken: set[str]) -> str:
    """Return a file-name that is safe on every system, and put it into ``taken``.

    It depends on the identity alone, so that a student keeps it when others hand in later.

    Args:
        identity: One a student.
        taken: Keys of the others.
    """
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    clean = _cleaned(identity)
    # Upper case gets a hash as well: some file systems don't tell "Anna" from "anna".
    # What looks hashed already is hashed again, or it could be made to meet another's.
    kept = clean == identity.lower() == identity and not _HASHED.match(clean)
    key = clean if kept else f"{clean}-{digest[:10]}"
    key = f"{clean}-{digest}" if key in taken else key
    taken.add(key)
    return key


def _cleaned(identity: str) -> str:
    letters = unicodedata.normalize("NFKD", identity[: 4 * _LONGEST])
    letters = letters.encode("ascii", "ignore").decode()
    clean = re.sub(r"[^A-Za-z0-9._-]+", "_", letters).strip("._-")[:_LONGEST].rstrip("._-")
    return f"s_{clean}" if _RESERVED.fullmatch(clean) else clean or "student"
