"""The digits page's "same in a few lines of Python": code that runs as it is printed. No Streamlit."""

from __future__ import annotations

from relucert_core.words import norm_in_code


def digit_code(network: str, digit: str, norm: float, attack: str, *, valid_pixels: bool = False) -> str:
    """The code that certifies and attacks a digit.

    network: the Python that reads it, or its name. digit: an index as digits only, or a packed digit.
    """
    reading = network if "(" in network else f'rc.load_model("{network}")'
    shipped = digit.isdigit()
    point = f"rc.mnist_sample()[0][{digit}]" if shipped else f'unpack_digit("{digit}")'
    order = norm_in_code(norm)
    extra = "" if shipped else "from relucert_core.datasets.packing import unpack_digit\n"
    extra += "from relucert_core.importers.for_digits import for_digits\n" if reading.startswith("for_digits") else ""
    box = ", bounds=(0, 1)" if valid_pixels else ""
    return f"""import relucert_core as rc
{extra}
net = {reading}
x = {point}
cert = rc.certify(net, x, method="simplex", norm={order})
adv = rc.attack(net, x, method="{attack}", norm={order}{box})
print(f"reads class {{cert.prediction}}, safe to {{cert.radius:.4g}} ({{cert.guarantee}}), limited by {{cert.limit}}")
print(f"read as class {{adv.prediction}} at {{adv.distance:.4g}}")
"""
