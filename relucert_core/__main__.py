"""`python -m relucert_core`: see `relucert_core.cli`."""

import sys

from relucert_core.cli import main

if __name__ == "__main__":  # worker processes import this module under another name
    sys.exit(main())
