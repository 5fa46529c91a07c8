"""The digits page's "same in a few lines of Python": code that runs as it is printed. No Streamlit."""

from __future__ import annotations

from relucert_core.words import norm_in_code


def digit_code(network: str, digit: str, norm: float, *, valid_pixels: bool = False) -> str:
    """The code that prints the headline of a digit, and the region's radius beside it.

    network: the Python that reads it, or its name. digit: an index as digits only, or a packed digit. valid_pixels:
    the attack keeps every pixel between black and white.
    """
    reading = network if "(" in network else f'rc.load_model("{network}")'
    shipped = digit.isdigit()
    point = f"rc.mnist_sample()[0][{digit}]" if shipped else f'unpack_digit("{digit}")'
    order = norm_in_code(norm)
    extra = "" if shipped else "from relucert_core.datasets.packing import unpack_digit\n"
    extra += "from relucert_core.importers.for_digits import for_digits\n" if reading.startswith("for_digits") else ""
    box = _IN_RANGE.format(order=order) if valid_pixels else ""
    words = ", up" if valid_pixels else ""
    return f"""import relucert_core as rc
from relucert_core.words import down{words}
{extra}
net = {reading}
x = {point}
best = rc.best_known(net, x, norm={order}, starts=rc.mnist_sample()[0])
print(best)
region = rc.certify(net, x, method="simplex", norm={order})
print(f"the region around it: safe to {{down(region.radius)}}, limited by {{region.limit}}")
{box}"""


_IN_RANGE = """adv = rc.attack(net, x, method="best", norm={order}, bounds=(0, 1), starts=rc.mnist_sample()[0])
print(f"with pixels from black to white: read as {{adv.prediction}} at {{up(adv.distance)}}")
"""
