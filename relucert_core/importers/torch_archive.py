"""`.pth` and `.pt` files: zip archives of tensors, read with weights_only=True after their sizes have been added up."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.importers.limits import Limits

_MOST_MEMBERS = 20_000
_INNER = ("state_dict", "model_state_dict", "model")


def read_state_dict(data: bytes, limits: Limits) -> Mapping[str, Any]:
    """The tensors of a state dict by name. Raises InvalidInput or Unsupported for anything else that torch saves."""
    _check_archive(data, limits)
    import torch

    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:
        raise Unsupported(
            "The file holds more than tensors, or is damaged: loading it could run code of its author. Save "
            "`module.state_dict()` with torch.save, or export the module to ONNX."
        ) from None
    table = loaded
    for key in _INNER:
        if isinstance(table, Mapping) and isinstance(table.get(key), Mapping):
            table = table[key]
            break
    if not isinstance(table, Mapping) or not table:
        raise Unsupported("The file holds no table of tensors: save `module.state_dict()`, or export to ONNX.")
    for key, tensor in table.items():
        _check_tensor(key, tensor)
    limits.check(float(sum(tensor.numel() for tensor in table.values())), "the file's tensors")
    return {str(key): tensor.detach().double() for key, tensor in table.items()}


def _check_archive(data: bytes, limits: Limits) -> None:
    """What the archive unpacks to is bounded before a byte of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeDecodeError, EOFError):
        raise InvalidInput(
            "This is not a file of torch.save, or it is cut off (files from before torch 1.6 are not read: save again)."
        ) from None
    names = [member.filename for member in members]
    if any("/code/" in name or name.endswith(("constants.pkl", ".py")) for name in names):
        raise Unsupported(
            "This is a TorchScript file, which runs code when it is loaded: save "
            "`module.state_dict()`, or export to ONNX."
        )
    if any(name.endswith(("archive_format", "models/model.json")) for name in names):
        raise Unsupported(
            "This is a file of torch.export.save (.pt2), which unpickles when it is loaded: export to ONNX instead."
        )
    total = sum(member.file_size for member in members)
    if len(members) > _MOST_MEMBERS or total > limits.file_bytes:
        raise InvalidInput(
            f"The archive would unpack to {total / 2**20:,.1f} MB in {len(members):,} parts; at most "
            f"{limits.file_bytes / 2**20:,.0f} MB are accepted."
        )


def _check_tensor(key: Any, tensor: Any) -> None:
    import torch

    name = repr(str(key))[:60]
    if not isinstance(key, str) or not isinstance(tensor, torch.Tensor):
        raise Unsupported(f"The entry {name} of the file is no tensor: save `module.state_dict()`, or export to ONNX.")
    plain = tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_meta
    if not plain or not tensor.is_floating_point() or tensor.dtype.itemsize < 2:
        raise Unsupported(
            f"The tensor {name} is no plain tensor of float16 to float64 numbers ({tensor.dtype}): pass the module or "
            "an ONNX file."
        )
