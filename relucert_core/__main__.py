"""`python -m relucert_core`: see `relucert_core.cli`."""

import sys

from relucert_core.cli import main

sys.exit(main())
