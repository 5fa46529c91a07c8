"""torch.nn modules -> Network. Unknown layers are refused, and sample points are replayed through both."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network

_REPLAYED_POINTS = 32
_PASS_THROUGH = (torch.nn.Flatten, torch.nn.Identity, torch.nn.Dropout)


def network_from_torch(module: torch.nn.Module, *, name: str = "network") -> Network:
    """The Network of an nn.Sequential of Linear and ReLU in turn, ending with Linear.

    Sequentials may be nested; Flatten, Identity and Dropout (idle at evaluation) pass through. Any other layer, two
    Linear without a ReLU between, or a ReLU at either end raise Unsupported with the layer's name and place. Random
    points are replayed through both; a difference beyond the module's own precision raises InvalidInput.
    """
    linear = linear_layers(module)
    weights = [layer.weight.detach() for layer in linear]
    biases = [_bias(layer).detach() for layer in linear]
    net = Network(weights, biases, name=name)
    _replay(module, net, linear[0])
    return net


def linear_layers(module: torch.nn.Module) -> list[torch.nn.Linear]:
    """The Linear layers of a supported module, in order; raises Unsupported as `network_from_torch` says."""
    linear: list[torch.nn.Linear] = []
    expecting_linear = True
    for place, layer in _flatten(module, ""):
        if isinstance(layer, torch.nn.Linear):
            if not expecting_linear:
                raise Unsupported(f"Layer {place} (Linear) follows another Linear without a ReLU between them.")
            linear.append(layer)
            expecting_linear = False
        elif isinstance(layer, torch.nn.ReLU):
            if expecting_linear:
                raise Unsupported(f"Layer {place} (ReLU) does not follow a Linear layer.")
            expecting_linear = True
        elif not isinstance(layer, _PASS_THROUGH):
            raise Unsupported(
                f"Layer {place} is a {type(layer).__name__}; Relucert reads Linear and ReLU layers in an nn.Sequential."
            )
    if not linear or expecting_linear:
        raise Unsupported("The module must end with a Linear layer that gives the logits.")
    return linear


def _flatten(module: torch.nn.Module, place: str) -> Iterator[tuple[str, torch.nn.Module]]:
    if isinstance(module, torch.nn.Sequential):
        for key, child in module.named_children():
            yield from _flatten(child, f"{place}.{key}" if place else key)
    else:
        yield place or "0", module


def _bias(layer: torch.nn.Linear) -> torch.Tensor:
    return layer.bias if layer.bias is not None else layer.weight.new_zeros(layer.out_features)


def _replay(module: torch.nn.Module, net: Network, first: torch.nn.Linear) -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(_REPLAYED_POINTS, net.inputs, generator=generator, dtype=torch.float64)
    training = module.training
    try:
        with torch.no_grad():
            theirs = module.eval()(points.to(first.weight)).double().cpu()
    finally:
        module.train(training)
    ours = net.logits(points)
    precision = torch.finfo(first.weight.dtype).eps
    allowed = 100 * net.inputs * precision * (1 + ours.abs().max())
    if theirs.shape != ours.shape or (theirs - ours).abs().max() > allowed:
        raise InvalidInput("The imported network does not reproduce the module's outputs; does its forward do more?")
