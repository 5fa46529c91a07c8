"""The product of norms: a global Lipschitz constant from the layers' operator norms (Szegedy et al. 2014).

In the p-norm, |(f_k - f_j)(x) - (f_k - f_j)(u)| <= ||W_k - W_j||_q ||W^(M-1)||_p ... ||W^(1)||_p ||x - u||_p, with q
dual to p and the rows W_k of the last layer, since a ReLU never stretches. ||W||_1 is the largest column sum of |W|,
||W||_inf the largest row sum, ||W||_2 the spectral norm, bounded from above with proof (`spectral_above`). The radius
is the smallest of (f_k - f_j) / product over the rivals j; infinite where a product is 0.
"""

from __future__ import annotations

import math
import time

import torch

from relucert_core.certificates.margins import Margins, margins
from relucert_core.certificates.over_balls.centre import norms_above
from relucert_core.certificates.result import LOWER_BOUND, OK, OVERFLOW, Certificate, CertificateEntry, Limit
from relucert_core.forward import at_label, proven_forward
from relucert_core.layers import Affine
from relucert_core.network import Network
from relucert_core.norms import NORMS, dual
from relucert_core.rounding import above, radius_below


def operator_norm_above(layer: Affine, norm: float) -> float:
    """A proven upper bound on the operator norm of W from the p-norm to the p-norm, p = 1, 2 or inf."""
    if norm == 2:
        return layer.spectral
    return float((layer.row_sizes(1.0) if norm == math.inf else layer.column_sums()).amax())


def hidden_product_above(net: Network, norm: float) -> float:
    """A proven upper bound on the product of the operator norms of all layers but the last."""
    product = 1.0
    for layer in net.affine[:-1]:
        factor = operator_norm_above(layer, norm)
        product = 0.0 if factor == 0 or product == 0 else above(product * factor)
    return product


def run_lipschitz(
    net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None = None
) -> list[Certificate]:
    """The product-of-norms radius of each point (B, D). parts: "lipschitz", the constant towards the limiting rival."""
    began = time.perf_counter()
    who = margins(proven_forward(net, points), labels)
    last = net.affine[-1].weight
    constants = _constants(last[who.label].unsqueeze(1) - last, hidden_product_above(net, norm), norm)
    radii = torch.nan_to_num(radius_below(who.lower, constants), nan=0.0, posinf=math.inf)
    radii = at_label(radii, who.label, math.inf)
    share = (time.perf_counter() - began) / max(1, len(points))
    return [_certificate(who, radii[i], constants[i], norm, share, i) for i in range(len(points))]


def _constants(rivals: torch.Tensor, product: float, norm: float) -> torch.Tensor:
    """(B, K): upper bounds on ||W_label - W_j||_dual times `product`; exactly 0 for a zero row or product."""
    sizes = above(norms_above(rivals, dual(norm)))
    zero = (rivals == 0).all(-1) | torch.tensor(product == 0)
    return torch.where(zero, 0.0, above(sizes * product))


def _certificate(
    who: Margins, radii: torch.Tensor, constants: torch.Tensor, norm: float, seconds: float, i: int
) -> Certificate:
    status, rival = who.status[i], int(radii.argmin())
    radius = float(radii[rival]) if status == OK else 0.0
    limited = status == OK and radius < math.inf
    return Certificate(
        method="lipschitz",
        norm=norm,
        radius=radius,
        guarantee=LOWER_BOUND,
        status=OVERFLOW if status == OK and radius == 0 else status,
        prediction=int(who.prediction[i]),
        label=int(who.label[i]),
        limit=Limit.decision(rival) if limited else None,
        parts={"lipschitz": float(constants[rival])} if limited else {},
        seconds=seconds,
    )


ENTRY = CertificateEntry(
    name="lipschitz",
    place=80,
    title="Product of norms",
    run=run_lipschitz,
    norms=NORMS,
    any_layers=True,
    guarantee=LOWER_BOUND,
    sentence="Multiplies how much each layer can stretch at most, anywhere, and divides the lead of the winning class "
    "by the product. The simplest bound, and usually the weakest.",
    reference="Szegedy et al., Intriguing properties of neural networks (2014)",
)
