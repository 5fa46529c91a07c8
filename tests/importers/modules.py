"""Everyday modules that use each operation alone and in pairs; shared by the tests of both doors."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


class Fn(nn.Module):
    """A module whose forward is a function of its parts and the input."""

    def __init__(self, forward, *parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.body = forward

    def forward(self, x):
        return self.body(self.parts, x)


def head(width, classes=3):
    return nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(width, classes))


def flat(f, width, inputs=6):
    """Linear, the function, and a head for what it gives."""
    return Fn(lambda m, x: m[1](f(m[0](x))), nn.Linear(inputs, 6), nn.Linear(width, 3)), (inputs,)


def image(body, width, *, channels=2, size=6, axes=2):
    return nn.Sequential(body, head(width)), (channels, *[size] * axes)


def batch_norm(make, count):
    layer = make(count)
    layer.running_mean.copy_(torch.linspace(-0.5, 0.7, count))
    layer.running_var.copy_(torch.linspace(0.3, 2.0, count))
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-1.0, 1.5, count))
        layer.bias.copy_(torch.linspace(0.4, -0.4, count))
    return layer


def residual(m, x):
    hidden = F.relu(m[0](x))
    return m[2](F.relu(m[1](hidden) + x))


def branches(m, x):
    left, right = m[0](x).relu(), m[1](x).abs()
    return m[2](torch.cat([left, right, left - 2 * right], 1))


def same_relu_twice(m, x):
    return m[3](m[2](m[1](m[2](m[0](x)))))


def in_place(m, x):
    x = m[0](x)
    x += 1
    x.relu_()
    x[:, 0] = 0.5
    return m[1](x)


def modules():
    """name -> (module, input shape): each is read, and agrees with itself."""
    torch.manual_seed(0)
    lin, seq = nn.Linear, nn.Sequential
    return {
        "chain": (seq(lin(5, 6), nn.ReLU(), lin(6, 3)), (5,)),
        "no bias": (seq(lin(5, 6, bias=False), nn.ReLU(), lin(6, 3, bias=False)), (5,)),
        "two linear": (seq(lin(5, 4), lin(4, 6), nn.ReLU(), lin(6, 3)), (5,)),
        "relu first": (seq(nn.ReLU(), lin(5, 3)), (5,)),
        "relu last": (seq(lin(5, 3), nn.ReLU()), (5,)),
        "relu object twice": (Fn(same_relu_twice, lin(5, 5), lin(5, 5), nn.ReLU(), lin(5, 2)), (5,)),
        "functional": (Fn(lambda m, x: m[1](F.relu(m[0](x.flatten(1)))), lin(6, 5), lin(5, 2)), (2, 3)),
        "normalising first": (Fn(lambda m, x: m[1](((m[0](x) - 0.13) / 0.31).relu()), lin(4, 5), lin(5, 2)), (4,)),
        "softmax last": (seq(lin(4, 5), nn.ReLU(), lin(5, 3), nn.Softmax(1)), (4,)),
        "log-softmax last": (Fn(lambda m, x: F.log_softmax(m[0](x.relu()), -1), lin(4, 3)), (4,)),
        "one logit": (seq(lin(4, 5), nn.ReLU(), lin(5, 1)), (4,)),
        "sigmoid last": (seq(lin(4, 5), nn.ReLU(), lin(5, 1), nn.Sigmoid()), (4,)),
        "batch norm": (seq(lin(4, 5), batch_norm(nn.BatchNorm1d, 5), nn.ReLU(), lin(5, 2)), (4,)),
        "dropout, identity": (seq(lin(4, 5), nn.Dropout(0.5), nn.ReLU(), nn.Identity(), lin(5, 2)), (4,)),
        "residual": (Fn(residual, lin(4, 6), lin(6, 4), lin(4, 3)), (4,)),
        "branches": (Fn(branches, lin(4, 3), lin(4, 3), lin(9, 3)), (4,)),
        "in place": (Fn(in_place, lin(4, 6), lin(6, 3)), (4,)),
        "half": (seq(lin(4, 5), nn.ReLU(), lin(5, 3)).half(), (4,)),
        "double": (seq(lin(4, 5), nn.LeakyReLU(), lin(5, 3)).double(), (4,)),
        "calls float": (Fn(lambda m, x: m[1](m[0](x.float()).relu()), lin(4, 5), lin(5, 3)), (4,)),
        "leaky relu": flat(lambda x: F.leaky_relu(x, 0.3), 6),
        "prelu": (seq(lin(4, 6), nn.PReLU(6), lin(6, 3)), (4,)),
        "relu6": flat(lambda x: F.relu6(5 * x), 6),
        "hardtanh": flat(lambda x: F.hardtanh(3 * x, -0.5, 2.0), 6),
        "clamp": flat(lambda x: x.clamp(-0.3, 0.4), 6),
        "clamp one side": flat(lambda x: x.clamp(min=-0.2) + x.clamp(max=0.3), 6),
        "abs": flat(torch.abs, 6),
        "maximum": flat(lambda x: torch.maximum(x, 0.5 * x.flip(1) - 0.1), 6),
        "minimum": flat(lambda x: torch.minimum(x[:, :3], x[:, 3:]), 3),
        "max over an axis": flat(lambda x: x.view(-1, 2, 3).max(2).values, 2),
        "amin": flat(lambda x: x.view(-1, 3, 2).amin(1), 2),
        "threshold": flat(lambda x: F.threshold(x, 0.0, 0.0), 6),
        "soft shrink": flat(lambda x: F.softshrink(x, 0.2), 6),
        "hard sigmoid": flat(F.hardsigmoid, 6),
        "sums and means": flat(lambda x: x - x.relu().mean(1, keepdim=True) + x.abs().sum(1, keepdim=True) / 3, 6),
        "matmul": flat(lambda x: (x.relu().view(-1, 2, 3) @ torch.arange(6.0).view(3, 2).to(x)).flatten(1), 4),
        "einsum": flat(lambda x: torch.einsum("bi,ij->bj", x.relu(), torch.linspace(-1, 1, 12).view(6, 2).to(x)), 2),
        "moves": flat(lambda x: x.relu().view(-1, 2, 3).permute(0, 2, 1).flip(1).roll(1, 2).reshape(-1, 6), 6),
        "stack, split": flat(lambda x: torch.stack(x.relu().split(2, 1), 2).flatten(1), 6),
        "chunk, expand": flat(lambda x: x.chunk(2, 1)[0].unsqueeze(2).expand(-1, -1, 2).flatten(1).relu(), 6),
        "tile, index": flat(lambda x: x.relu().tile(1, 2)[:, [0, 3, 5, 7]], 4),
        "pad": flat(lambda x: F.pad(x.relu(), (1, 2), value=0.7), 9),
        "conv1d": image(nn.Conv1d(2, 3, 3, stride=2), 3 * 2, axes=1),
        "conv2d": image(nn.Conv2d(2, 3, 3), 3 * 16),
        "conv3d": image(nn.Conv3d(2, 2, 2, stride=(1, 2, 1)), 2 * 3 * 2 * 3, size=4, axes=3),
        "strides, dilation": image(nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), 3 * 3 * 4),
        "groups": image(nn.Conv2d(2, 4, 3, groups=2, padding=1), 4 * 36),
        "same padding": image(nn.Conv2d(2, 2, 4, padding="same"), 2 * 36),
        "circular padding": image(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), 2 * 36),
        "reflected padding": image(nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), 2 * 36),
        "replicated padding": image(nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"), 2 * 36),
        "transposed conv": image(nn.ConvTranspose2d(2, 2, 3, 2, 1, output_padding=1, groups=2), 2 * 144),
        "conv, batch norm": image(
            seq(nn.Conv2d(2, 3, 3), batch_norm(nn.BatchNorm2d, 3), nn.ReLU(), nn.Conv2d(3, 2, 2)), 18
        ),
        "max pool": image(seq(nn.Conv2d(2, 2, 3), nn.ReLU(), nn.MaxPool2d(2)), 2 * 4),
        "max pool, odd": image(seq(nn.Conv2d(2, 2, 2), nn.MaxPool2d(3, 2, 1, ceil_mode=True)), 2 * 9),
        "max pool, dilated": image(nn.MaxPool2d(2, 1, dilation=2), 2 * 16),
        "average pool": image(seq(nn.ReLU(), nn.AvgPool2d(3, 2, 1, count_include_pad=False)), 2 * 9),
        "average pool, ceil": image(nn.AvgPool2d(3, 2, 1, ceil_mode=True), 2 * 16),
        "adaptive pools": image(
            Fn(lambda m, x: F.adaptive_avg_pool2d(x, (4, 3)) + F.adaptive_max_pool2d(x.relu(), (4, 3))), 2 * 12
        ),
        "global average": image(seq(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1)), 4),
        "pixel shuffle": image(seq(nn.Conv2d(2, 4, 3), nn.PixelShuffle(2)), 64),
        "nearest resize": image(nn.Upsample(scale_factor=2), 2 * 36, size=3),
        "bilinear resize": image(nn.Upsample(size=(5, 4), mode="bilinear"), 2 * 20, size=3),
    }


def refused():
    """name -> (module, input shape, words of the refusal)."""
    lin, seq = nn.Linear, nn.Sequential
    return {
        "tanh": (seq(lin(4, 5), nn.Tanh(), lin(5, 3)), (4,), r"layer '1' \(Tanh, tanh\)"),
        "gelu": (seq(lin(4, 5), nn.GELU(), lin(5, 3)), (4,), "gelu"),
        "sigmoid inside": (seq(lin(4, 5), nn.Sigmoid(), lin(5, 3)), (4,), "sigmoid is read at the very end only"),
        "sigmoid over several": (seq(lin(4, 5), nn.ReLU(), lin(5, 3), nn.Sigmoid()), (4,), "a sigmoid over 3 scores"),
        "softmax inside": (seq(lin(4, 5), nn.Softmax(1), lin(5, 3)), (4,), "softmax is read at the very end only"),
        "layer norm": (seq(lin(4, 5), nn.LayerNorm(5), nn.ReLU(), lin(5, 3)), (4,), "layer_norm"),
        "group norm": (*image(nn.GroupNorm(1, 2), 72), "group_norm"),
        "instance norm": (*image(nn.InstanceNorm2d(2), 72), "instance_norm|batch"),
        "where on the input": (*flat(lambda x: torch.where(x > 0, x, x / 2), 6), "gt"),
        "product of two": (*flat(lambda x: x.relu() * x, 6), "multiplies two values"),
        "division by the input": (*flat(lambda x: 1 / (x.relu() + 1), 6), "reciprocal|divides by a value"),
        "places of a maximum": (*flat(lambda x: x.view(-1, 2, 3).max(2).indices.float(), 2), "place of the largest"),
        "branch on values": (*flat(lambda x: x if x.sum() > 0 else -x, 6), "cannot trace"),
        "jumping threshold": (*flat(lambda x: F.threshold(x, 0.1, 20.0), 6), "no continuous function"),
        "linear alone": (seq(lin(4, 5), lin(5, 3)), (4,), "has no ReLU"),
        "several outputs": (Fn(lambda m, x: (m[0](x).relu(), x), lin(4, 5)), (4,), "returns 2 values"),
        "an image out": (nn.Conv2d(2, 3, 1), (2, 3, 3), "one score for each class"),
        "lazy": (seq(nn.LazyLinear(5), nn.ReLU(), lin(5, 2)), (4,), "lazy"),
        "meta": (seq(lin(4, 5), nn.ReLU(), lin(5, 2)).to("meta"), (4,), "meta"),
        "complex": (
            Fn(lambda m, x: m[0](x), nn.ParameterList([torch.zeros(2, dtype=torch.complex64)])),
            (4,),
            "complex",
        ),
        "shape unknown": (
            seq(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), lin(3, 2)),
            None,
            r"input_shape=\(1, 28, 28\)",
        ),
        "wrong shape": (seq(lin(4, 5), nn.ReLU(), lin(5, 2)), (7,), "takes 4 inputs|does not take an input"),
    }
