"""Relucert as a verification module of VERONA (ada-verona): one file that runs in VERONA's own Python.

Put it beside your experiment and pass `RelucertModule(command=("relucert",), timeout=60)` where VERONA takes a
verification module. It writes the property that VERONA's generator makes, calls `relucert certify --property`, which
may live in another environment, and gives back what was proved: UNSAT (robust), SAT with the counter-example, TIMEOUT
(the time was up with nothing proved) or ERR. Needs Python 3.10 or newer and ada-verona; Relucert is not imported.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from ada_verona.database.verification_context import VerificationContext
from ada_verona.database.verification_result import CompleteVerificationData
from ada_verona.verification_module.verification_module import VerificationModule

_GRACE = 30.0  # seconds beyond the timeout for starting Python, reading the files and ending


class RelucertModule(VerificationModule):
    """Verifies with `relucert certify --model NETWORK --property FILE --max-seconds TIMEOUT`.

    command: how Relucert is called, for example ("relucert",) or (".venv/bin/python", "-m", "relucert_core").
    timeout: seconds a property. options: further arguments, such as ("--input-shape", "1,28,28").
    """

    def __init__(
        self, command: Sequence[str] = ("relucert",), timeout: float = 60.0, options: Sequence[str] = ()
    ) -> None:
        self.command, self.timeout, self.options = tuple(command), float(timeout), tuple(options)
        self.name = "RelucertModule"

    def verify(self, verification_context: VerificationContext, epsilon: float) -> CompleteVerificationData:
        """One property: is the image of the context robust within `epsilon`?"""
        point = verification_context.data_point
        image = point.data.reshape(-1).detach().numpy()
        asked = verification_context.property_generator.create_vnnlib_property(image, point.label, epsilon)
        verification_context.save_vnnlib_property(asked)
        call = [*self.command, "certify", "--model", str(verification_context.network.path), *self.options]
        call += ["--property", str(asked.path), "--max-seconds", str(self.timeout)]
        begun = time.perf_counter()
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=self.timeout + _GRACE, check=False)
        except subprocess.TimeoutExpired:
            return CompleteVerificationData(result="TIMEOUT", took=time.perf_counter() - begun)
        except OSError as error:
            return CompleteVerificationData(result="ERR", took=time.perf_counter() - begun, err=str(error))
        took, lines = time.perf_counter() - begun, done.stdout.splitlines()
        words = {"sat": "SAT", "unsat": "UNSAT", "unknown": "TIMEOUT"}
        result = words.get(lines[0] if lines else "", "ERR") if done.returncode == 0 else "ERR"
        example = done.stdout if result == "SAT" else None
        return CompleteVerificationData(
            result=result, took=took, counter_example=example, err=done.stderr, stdout=done.stdout
        )
