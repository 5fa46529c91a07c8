"""The layers of a network: an affine map, dense or sparse, and which of its outputs pass a ReLU.

`Layer` is what the world sees (NumPy, CSR); `Dense` and `Sparse` are the same map as the engine multiplies by it, in
torch float64, with proven bounds on its norms. Outputs that pass no ReLU are carried on as they are: the engine
treats them as neurons that are always on and have no face.
"""

from relucert_core.layers.affine import LayerArrays, read_only
from relucert_core.layers.dense import Dense
from relucert_core.layers.layer import Affine, Layer, csr_parts
from relucert_core.layers.signs import active, rectified
from relucert_core.layers.sparse import Sparse

__all__ = ["Affine", "Dense", "Layer", "LayerArrays", "Sparse", "active", "csr_parts", "read_only", "rectified"]
