"""The exceptions of the engine. Every message says what was seen, what is accepted and what to do."""


class RelucertError(Exception):
    """Base of all errors that the engine raises on purpose."""


class InvalidInput(RelucertError, ValueError):
    """An argument has a wrong shape, type or value; nothing was computed."""


class Unsupported(RelucertError, ValueError):
    """The request is well formed, but the method is not made for it (its norm, its depth, a kind of layer)."""


class DataUnavailable(RelucertError, OSError):
    """A file or data set is not there and could not be had."""
