"""How a test says that a call is refused, word for word."""

from collections.abc import Callable

import pytest


def check_refused(call: Callable[[], object], message: str) -> None:
    """Fail unless the call raises a ValueError with exactly this message."""
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message
