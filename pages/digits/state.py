"""What the digits page shows, as one record: in the session, in the link and in its controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pages.shared import engine, own
from pages.shared.digit import DigitFields
from pages.shared.fields import choice, switch
from pages.shared.state import PageState
from relucert_core.words import NORM_CHOICES

DEFAULT_NETWORK = "mnist-1024-512"


def networks() -> Mapping[str, str]:
    """The shipped networks that take pictures of digits, in words, and the visitor's own."""
    return engine.digit_networks() | own.titles()


@dataclass(frozen=True)
class Fields(DigitFields):
    """The digit, the network that looks at it, and how a change is measured."""

    net: str = choice(DEFAULT_NETWORK, networks, "Network", kind=own.NetworkChoice)
    norm: str = choice(
        "L2", {name: name for name in NORM_CHOICES}, "How a change is measured", look="segmented", panel="norm"
    )
    valid: bool = switch("Attacks keep every pixel between black and white", panel="norm")


STATE = PageState("digits", Fields, "digits_")
