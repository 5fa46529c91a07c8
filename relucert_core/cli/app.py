"""`relucert app`: open the web app in the browser, from a checkout or an installed package alike."""

from __future__ import annotations

import argparse
import os
from typing import Any

from relucert_core.paths import APP, home
from relucert_core.places.settings import SETTINGS, imprint

_EPILOG = """Ctrl-C stops it. The port may also come from STREAMLIT_SERVER_PORT. Where there is no screen, say
--headless.
Example: python -m relucert_core app --port 8600"""


def add_parser(subparsers: Any) -> None:
    """Add `app` to the command line."""
    parser = subparsers.add_parser(
        "app",
        help="open the app in the browser",
        description="Serve the app on this machine and open it in the browser on its first page.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, metavar="N", help="where to listen (default: 8501, or the next free one)")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    parser.add_argument(
        "--public",
        action="store_true",
        help="for strangers: the safe limits of workers, time, memory and uploads where the environment says nothing",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until it is stopped; 0, or 1 with a sentence on stderr when the port is taken."""
    from streamlit.web import cli as streamlit  # the one place of the package that knows Streamlit

    if arguments.public:
        for setting in SETTINGS:
            os.environ.setdefault(setting.name, f"{setting.public:g}")
    for setting in SETTINGS:
        setting.read()  # what is set to nonsense is said before anybody comes
    imprint()
    os.environ.setdefault("HOME", str(home()))  # Streamlit looks for settings there
    options = ["--server.port", str(arguments.port)] if arguments.port is not None else []
    options += ["--server.headless", "true"] if arguments.headless else []
    streamlit.main(["run", str(APP), *options], standalone_mode=False)
    return 0


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) <= 5 else 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a whole number from 1 to 65535; {text!r} came")
    return number
