"""What goes over the pipe between the pool and a worker: calls, answers, and each network only once.

A call names a function of this package; it and its arguments travel as a pickle between two processes of ours. A
network is sent when the worker does not have it, and named by its digest when it does: both ends forget by one rule.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from relucert_core.network import Network

KEPT = 2  # networks that a worker remembers besides those of the call itself
ITEM, END, ERROR, STOPPED = "item", "end", "error", "stopped"
Networks = OrderedDict[str, Any]


@dataclass(frozen=True)
class Call:
    """A call for a worker: the pickled function and arguments, the seconds it has, networks new to the worker."""

    number: int
    seconds: float
    payload: bytes
    networks: Mapping[str, Network]
    digests: tuple[str, ...]


@dataclass(frozen=True)
class Stop:
    """Leave the call of that number, keep what it has found; `soft`: only after its next improvement."""

    number: int
    soft: bool = False


@dataclass(frozen=True)
class Reply:
    """Of the call `number`: an improvement (ITEM), the answer (END), an exception (ERROR), or that it was left.

    leaving: the process ends now and takes no further call.
    """

    number: int
    kind: str
    value: Any = None
    leaving: bool = False


class _Pickler(pickle.Pickler):
    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self.networks: dict[str, Network] = {}

    def persistent_id(self, value: Any) -> str | None:
        """Networks are named, not written."""
        if not isinstance(value, Network):
            return None
        name = f"{value.digest} {value.name}"
        self.networks[name] = value
        return name


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, known: Networks) -> None:
        super().__init__(stream)
        self._known = known

    def persistent_load(self, name: Any) -> Any:
        """The network of that name."""
        return self._known[name]


def send(connection: Connection, message: Any) -> None:
    """Send by a plain pickle, made before anything is sent: torch has `Connection.send` share memory by descriptors."""
    connection.send_bytes(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def receive(connection: Connection) -> Any:
    """What the other end has sent; it is a process of this program."""
    return pickle.loads(connection.recv_bytes())


def packed(value: Any) -> tuple[bytes, dict[str, Network]]:
    """A value as bytes, and the networks that it names."""
    stream = io.BytesIO()
    pickler = _Pickler(stream)
    pickler.dump(value)
    return stream.getvalue(), pickler.networks


def unpacked(payload: bytes, known: Networks) -> Any:
    """The value of `packed`, of this program's own making."""
    return _Unpickler(io.BytesIO(payload), known).load()


def remember(known: Networks, digests: tuple[str, ...], new: Mapping[str, Any]) -> None:
    """The rule by which both ends keep networks: those of this call, and the KEPT last ones besides."""
    known.update(new)
    for digest in digests:
        known.move_to_end(digest)
    while len(known) > KEPT + len(digests):
        known.popitem(last=False)
