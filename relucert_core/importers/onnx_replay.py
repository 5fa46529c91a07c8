"""An ONNX model run by onnx.reference, for the replay: the source that a network is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput


def replay_of(model: Any, name: str, shape: tuple[int, ...], asked: str) -> Callable[[np.ndarray], np.ndarray]:
    """points (n, D) -> the output `asked` of the model at its input `name` of `shape`, flattened, (n, K) float64."""

    def replay(points: np.ndarray) -> np.ndarray:
        from onnx.reference import ReferenceEvaluator

        try:
            session = ReferenceEvaluator(model, new_ops=[_conv_transpose()])
            runs: list[Any] = [session.run([asked], {name: point.reshape(shape)}) for point in points]
            return np.stack([np.asarray(found[0]).reshape(-1) for found in runs]).astype(np.float64)
        except Exception as error:
            reason = " ".join(str(error).split())[:120]
            raise InvalidInput(
                f"onnx.reference cannot run the file, so that it cannot be replayed ({type(error).__name__}: {reason})."
            ) from None

    return replay


def _conv_transpose() -> type:
    """ConvTranspose group by group: of several groups onnx.reference slices the weights wrongly (as of 1.21)."""
    from onnx.reference.ops.op_conv_transpose import ConvTranspose as Plain

    class ConvTranspose(Plain):
        op_domain = ""

        def _run(self, X: Any, W: Any, B: Any = None, **about: Any) -> Any:  # type: ignore[override]
            group = about.get("group") or 1
            if group == 1:
                return super()._run(X, W, B, **about)
            offsets = [None] * group if B is None else np.split(B, group)
            parts = zip(np.split(X, group, axis=1), np.split(W, group), offsets, strict=True)
            found = [super(ConvTranspose, self)._run(x, w, b, **{**about, "group": 1})[0] for x, w, b in parts]
            return (np.concatenate(found, axis=1),)

    return ConvTranspose
