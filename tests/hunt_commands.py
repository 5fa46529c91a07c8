"""Hunt for command lines that end in a raw error: random commands with odd values for their options.

    python -m tests.hunt_commands --lines 150 --seed 1

Each runs in this process, in a folder of its own. It counts as a fault when an exception comes through, when the exit
code is neither 0 nor 1 nor 2, when the last line of a refusal on stderr is no sentence of at most 300 characters, when
a refusal leaves lines on stdout, or when anything warns. Prints the counts and every fault; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shlex
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import relucert_core as rc
from relucert_core.cli import main as relucert

LONGEST = 300
ODD = ("", "0", "-1", "1e999", "nan", "inf", "x", "a" * 300, "²", "9" * 400, "../..", "/dev/full", "/dev/zero",
       "nosuch", ".", "\udcff", "1,2", "[]", "None", "\n", "--", "é", "no/such/folder/file")  # fmt: skip
MODELS = ("mnist-20-20-20", "net.safetensors", "text.txt", "empty", "cut.safetensors", "folder")
DATA = ("mnist-sample", "images.npz", "bytes.npz", "images.npy", "empty", "folder", "text.txt", "cut.npz")
FILES = ("radii.jsonl", "out.csv", "out.json", "text.txt", "folder", "empty")
GOOD: dict[str, dict[str, tuple[str, ...]]] = {
    "certify": {"--model": MODELS, "--data": DATA, "--first": ("1", "2"), "--norm": ("1", "2", "inf"),
                "--method": ("simplex", "simplex,crown-ada", "neighbours", "fast-lip"), "--attack": ("deepfool", "ddn"),
                "--max-seconds": ("0.1", "0"), "--eps": ("0.1,0.2",), "--use-labels": (), "--out": FILES,
                "--shard": ("1/2", "0/2"), "--workers": ("1",)},
    "attack": {"--model": MODELS, "--data": DATA, "--first": ("1",), "--method": ("deepfool", "ddn", "ifgsm"),
               "--pixels": (), "--starts": (), "--norm": ("1", "2", "inf"), "--out": FILES},
    "search": {"--model": MODELS, "--image": ("0", "5"), "--seconds": ("0.1",), "--method": ("exact", "neighbours"),
               "--norm": ("1", "2", "inf"), "--out": FILES},
    "models": {"--json": (), "--inspect": MODELS, "--data": DATA},
    "check": {"--model": MODELS, "--data": DATA},
    "convert": {"--out": FILES},
    "report": {"--html": FILES, "--latex": FILES, "--eps": ("0.1",)},
    "presets": {"--only": ("nosuch",), "--to": FILES},
    "closing": {"--networks": ("nosuch", "mnist-20-20-20,x"), "--images": ("0",), "--out": FILES},
    "data": {"--folder": ("folder", "nosuch")},
    "completion": {},
    "reproduce": {"--images": ("0", "-1"), "--norm": ("3",)},
    "train": {"--recipe": ("nosuch", "list"), "--out": FILES},
}  # fmt: skip
POSITIONAL = {"models": ("mnist-20-20-20", "nosuch"), "check": FILES, "convert": FILES, "report": FILES,
              "completion": ("bash", "zsh", "tcsh"), "reproduce": ("figure-9",)}  # fmt: skip
NEEDED = {"certify": ("--model", "--data", "--first"), "attack": ("--model", "--data", "--first"),
          "check": ("--model", "--data"), "convert": ("--out",), "search": ("--seconds",), "train": ("--recipe",),
          "presets": ("--only",), "closing": ("--networks", "--images"), "reproduce": ("--images",)}  # fmt: skip


def furnish(folder: Path) -> None:
    """The files that the command lines name."""
    images, labels = rc.mnist_sample()
    rc.save_network(rc.load_model("mnist-20-20-20"), folder / "net.safetensors")
    whole = (folder / "net.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    np.savez(folder / "images.npz", images=images[:2], labels=labels[:2])
    np.savez(folder / "bytes.npz", images=np.rint(255 * images[:2]).astype(np.uint8))
    np.save(folder / "images.npy", images[:2])
    (folder / "cut.npz").write_bytes((folder / "images.npz").read_bytes()[:-40])
    (folder / "text.txt").write_text("a line of text\n")
    (folder / "empty").touch()
    (folder / "folder").mkdir()


def random_line(rng: random.Random) -> list[str]:
    """A command with what it needs and a few options more; one value in six is odd."""
    command = rng.choice(sorted(GOOD))
    options = GOOD[command]
    names = [*NEEDED.get(command, ()), *rng.sample(sorted(options), k=min(len(options), rng.randint(0, 3)))]
    line = [command]
    if command in POSITIONAL and rng.random() < 0.9:
        line.append(rng.choice(POSITIONAL[command] if rng.random() < 0.85 else ODD))
    for name in dict.fromkeys(names):
        values = options[name]
        value = rng.choice(values if values and rng.random() < 0.83 else ODD)
        line += [name] if not values else [name, value] if rng.random() < 0.9 else [f"{name}={value}"]
    return line if rng.random() < 0.95 else [*line, rng.choice(ODD)]


def outcome(line: list[str]) -> tuple[int | str, str, str]:
    """The exit code (or the exception that came through), stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            code: int | str = relucert(line)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else str(end.code)
        except BaseException as error:  # a raw error of any kind is what is hunted
            code = f"{type(error).__name__}: {str(error)[:200]}"
    return code, out.getvalue(), err.getvalue()


def wrong_with(code: int | str, out: str, err: str) -> str:
    """What is wrong with an outcome, or ""."""
    if code not in (0, 1, 2):
        return f"ends with {code!r}"
    if "Traceback" in err + out:
        return "a traceback"
    if code == 0:
        return ""
    lines = [text for text in err.splitlines() if text.strip()]
    if code == 1 and out:  # `check` prints what it found
        return ""
    if not lines:
        return f"exit code {code} without a word"
    if not 10 < len(lines[-1]) <= LONGEST:
        return f"a sentence of {len(lines[-1])} characters: {lines[-1][:150]}"
    return "lines on stdout before a refusal" if code == 2 and out else ""


def hunt(lines: int, seed: int) -> tuple[Counter[int | str], list[str]]:
    """The exit codes of so many command lines, and the faults."""
    rng, codes, home = random.Random(seed), Counter[int | str](), Path.cwd()
    faults: list[str] = []
    for _ in range(lines):
        line = random_line(rng)
        with tempfile.TemporaryDirectory() as folder:
            furnish(Path(folder))
            os.chdir(folder)
            try:
                code, out, err = outcome(line)
            finally:
                os.chdir(home)
        codes[code] += 1
        problem = wrong_with(code, out, err)
        if problem:
            faults.append(f"relucert {shlex.join(line)[:300]}: {problem}")
            print(ascii(faults[-1]), flush=True)
    return codes, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    codes, faults = hunt(given.lines, given.seed)
    print(f"{given.lines} command lines, exit codes {dict(codes)}, {len(faults)} faults (seed {given.seed})")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
