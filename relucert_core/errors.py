"""The exceptions of the engine. Every message says what was seen, what is accepted and what to do."""

from __future__ import annotations

LONGEST = 299  # characters of a message: one sentence that fits on a page
_TAIL = 110  # of these, what is kept of the end, where it says what to do


def one_line(words: str, longest: int = LONGEST) -> str:
    """A message in one line of at most so many characters: beginning and end are kept."""
    words = " ".join(words.split())
    return words if len(words) <= longest else f"{words[: longest - _TAIL - 3]}...{words[-_TAIL:]}"


class RelucertError(Exception):
    """Base of all errors that the engine raises on purpose; as text at most LONGEST characters in one line."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class InvalidInput(RelucertError, ValueError):
    """An argument has a wrong shape, type or value; nothing was computed."""


class Unsupported(RelucertError, ValueError):
    """The request is well formed, but the method is not made for it (its norm, its depth, a kind of layer)."""


class DataUnavailable(RelucertError, OSError):
    """A file or data set is not there and could not be had."""


def shown(value: object, longest: int = 60) -> str:
    """`repr(value)` for a message, with its middle left out where it is longer: names come from files as well."""
    try:
        text = repr(value[: 4 * longest] if isinstance(value, (str, bytes)) else value)
    except Exception:  # a foreign object may fail to describe itself
        text = f"a {type(value).__name__}"
    if isinstance(value, (str, bytes)) and len(value) > 4 * longest:
        text = text[:longest] + f"...' ({len(value):,} characters)"
    return text if len(text) <= longest + 30 else f"{text[: longest - 12]}...{text[-9:]}"
