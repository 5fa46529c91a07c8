"""Files of strangers are read in a process of their own, which is ended at its limits of time and memory.

Whatever the file does to a parser written in C++, the asking process goes on and gets one sentence. What comes back
is a file that we wrote ourselves, and the card as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relucert_core.cards import ReadingCard
from relucert_core.errors import InvalidInput, RelucertError, Unsupported
from relucert_core.memory import MEGABYTE, limit_data

SECONDS = 10.0
MEMORY = 2048 * MEGABYTE
_STARTING = 120.0  # for the imports, which are not the file's fault
_KINDS = {"InvalidInput": InvalidInput, "Unsupported": Unsupported}


def read_apart(
    data: bytes,
    name: str,
    *,
    files: Mapping[str, bytes] | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    **about: Any,
) -> Any:
    """As `read_network` for the bytes of a file called `name`, in a process of at most `seconds` and `memory` bytes.

    files: further files by name (a NAME.onnx.data). about: the other arguments of `read_network`, as JSON has them.
    Raises InvalidInput or Unsupported in the words of the reader, or when the process had to be ended, or died.
    """
    from relucert_core.importers.safetensors_file import load_network

    with tempfile.TemporaryDirectory(prefix="relucert-") as folder:
        place = Path(folder)
        inputs = {"name": name, "about": about, "memory": memory, "files": sorted(files or {})}
        (place / "question.json").write_text(json.dumps(inputs), encoding="utf8")
        (place / "source").write_bytes(data)
        for i, key in enumerate(sorted(files or {})):
            (place / f"file{i}").write_bytes((files or {})[key])
        answer = _ask(place, seconds)
        if answer is None:
            raise InvalidInput(
                f"{name[:80]!r} could not be read within {seconds:g} s and {memory / MEGABYTE:,.0f} MB, or it ended "
                "the process that read it: pass a smaller network, or read it in Python with rc.read_network."
            )
        if "error" in answer:
            raise _KINDS.get(answer["kind"], RelucertError)(answer["error"])
        card = answer["card"]
        for key in ("input_shape", "rounded", "trained_on", "notes"):
            card[key] = tuple(card[key])
        card["classes"] = None if card["classes"] is None else tuple(card["classes"])
        return load_network(place / "network.safetensors", name=name).with_card(ReadingCard(**card))


def _ask(place: Path, seconds: float) -> dict[str, Any] | None:
    """The process's answer, or None when it gave none in time."""
    command = [sys.executable, "-m", "relucert_core.importers.apart", str(place)]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    started = threading.Timer(_STARTING, child.kill)
    try:
        started.start()
        assert child.stdout is not None
        ready = child.stdout.readline()  # the imports are made
        started.cancel()
        if ready.strip() != b"ready":
            return None
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        started.cancel()
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    try:
        found = json.loads((place / "answer.json").read_text(encoding="utf8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _main(folder: str) -> int:
    """The process: limits itself, reads the file, writes the answer."""
    place = Path(folder)
    question = json.loads((place / "question.json").read_text(encoding="utf8"))
    from relucert_core.importers.registry import read_network
    from relucert_core.importers.safetensors_file import save_network

    if question["name"].lower().endswith(".onnx"):
        import onnx.reference  # noqa: F401 - before the clock starts
    limit_data(question["memory"])
    print("ready", flush=True)
    try:
        files = {key: (place / f"file{i}").read_bytes() for i, key in enumerate(question["files"])}
        data = (place / "source").read_bytes()
        net = read_network(data, name=question["name"], files=files, **question["about"])
        save_network(net, place / "network.safetensors")
        assert net.card is not None  # whatever comes through the door has one
        answer: dict[str, Any] = {"card": asdict(net.card)}
    except RelucertError as error:
        answer = {"error": str(error), "kind": type(error).__name__}
    except MemoryError:
        return 1
    (place / "answer.json").write_text(json.dumps(answer), encoding="utf8")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
