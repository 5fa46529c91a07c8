"""`python -m tests.benchmarks`: all benchmarks, one after the other in one process; more arguments go to pytest."""

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-o", "addopts=", "-q", "-s", str(Path(__file__).parent), *sys.argv[1:]]))
