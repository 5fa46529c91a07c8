"""How many threads the products of matrices may use, said before NumPy and SciPy are imported.

The semidefinite certificate's small factors lose more to threads that wait for each other than they gain: 70 s of
processor time were seen in place of 2.4 for one proof on two busy cores. Their libraries read the number once, from the
environment, as they are loaded; torch keeps its own.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

ONE_THREAD = {  # of a worker process, of which there is one a core
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def spare_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """One thread for NumPy's and SciPy's products, unless the environment says otherwise."""
    for name, value in SETTINGS.items():
        environment.setdefault(name, value)
