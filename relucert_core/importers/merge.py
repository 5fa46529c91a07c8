"""From blocks of forms to layers: what each layer computes, what it rectifies, and what it carries on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from relucert_core.errors import Unsupported
from relucert_core.importers import rows as matrices
from relucert_core.importers.forms import Block, Form
from relucert_core.importers.rows import Picks, Rows

_DENSE_SHARE = 0.25  # a matrix with more of its entries set is stored dense


class MergedLayer(NamedTuple):
    """weight (out, in), dense or CSR; bias (out,); rectified (out,) bool, None in the last layer."""

    weight: np.ndarray | csr_array
    bias: np.ndarray
    rectified: np.ndarray | None


def merged_layers(scores: Form) -> list[MergedLayer]:
    """The layers of the network whose scores (K,) are given; scores of level L need L ReLU layers and a last one."""
    trace = scores.trace
    if scores.level == 0:
        raise Unsupported("The network has no ReLU: a certificate of Relucert is about ReLU networks.")
    uses = _uses(scores)
    source = next((block for block in uses if block.form is None), None)
    if source is None:
        raise Unsupported("The scores do not depend on the input.")
    below = _Outputs.of([(source, np.arange(source.size))])
    layers: list[MergedLayer] = []
    for level in range(1, scores.level + 1):
        parts = _parts(uses, level)
        layer, below = _hidden_layer(parts, level, below)
        layers.append(layer)
        trace.room(sum(_stored(each.weight) for each in layers), "the network so far")
    weight = _weight([(scores.terms, None, scores.size)], below)
    layers.append(MergedLayer(weight, scores.bias, None))
    trace.room(sum(_stored(each.weight) for each in layers), "the network")
    return layers


@dataclass(frozen=True, eq=False)
class _Outputs:
    """Where the values of blocks stand among the outputs of a layer: per block (block.size,), -1 where absent."""

    places: dict[Block, np.ndarray]
    count: int

    @classmethod
    def of(cls, parts: list[tuple[Block, np.ndarray]]) -> _Outputs:
        places, count = {}, 0
        for block, entries in parts:
            places[block] = np.full(block.size, -1)
            places[block][entries] = count + np.arange(len(entries))
            count += len(entries)
        return cls(places, count)


def _uses(scores: Form) -> dict[Block, np.ndarray]:
    """For each block that the scores need, the last layer that reads each entry (0: none), in order of making."""
    last: dict[Block, np.ndarray] = {}

    def reads(form: Form, reader: int, needed: np.ndarray | None) -> None:
        for block, rows in form.terms.items():
            used = last.setdefault(block, np.zeros(block.size, dtype=np.int64))
            np.maximum(used, np.where(_columns(rows, needed), reader, 0), out=used)

    reads(scores, scores.level + 1, None)
    waiting = set(last)
    done: set[Block] = set()
    while waiting:
        block = max(waiting, key=lambda each: each.number)  # all readers of it were made later, and have been seen
        waiting.discard(block)
        done.add(block)
        if block.form is not None:
            reads(block.form, block.level, last[block] > 0)
            waiting |= set(block.form.terms) - done
    return dict(sorted(last.items(), key=lambda item: item[0].number))


def _columns(rows: Rows, needed: np.ndarray | None) -> np.ndarray:
    """(m,) bool: which columns the needed rows refer to; a dense row refers to all."""
    used = np.zeros(rows.shape[1], dtype=bool)
    kept = np.arange(rows.shape[0]) if needed is None else np.flatnonzero(needed)
    if isinstance(rows, np.ndarray):
        used[:] = len(kept) > 0
        return used
    part = matrices.take(rows, kept)
    used[part.index[part.index >= 0] if isinstance(part, Picks) else part.indices] = True  # type: ignore[union-attr]
    return used


def _parts(uses: dict[Block, np.ndarray], level: int) -> list[tuple[Block, np.ndarray]]:
    """The blocks and entries that layer `level` gives: those it makes first, then those it carries."""
    made = [(block, np.flatnonzero(last)) for block, last in uses.items() if block.level == level]
    carried = [(block, np.flatnonzero(last > level)) for block, last in uses.items() if block.level < level]
    return [part for part in (*made, *carried) if len(part[1])]


def _hidden_layer(parts: list[tuple[Block, np.ndarray]], level: int, below: _Outputs) -> tuple[MergedLayer, _Outputs]:
    pieces: list[tuple[dict[Block, Rows], np.ndarray | None, int]] = []
    biases, masks = [], []
    for block, kept in parts:
        form = block.form if block.level == level else None
        if form is None:
            pieces.append(({block: Picks(kept, block.size)}, None, len(kept)))
            biases.append(np.zeros(len(kept)))
        else:
            pieces.append((form.terms, None if len(kept) == block.size else kept, len(kept)))
            biases.append(form.bias[kept])
        masks.append(np.full(len(kept), form is not None and block.rectified))
    layer = MergedLayer(_weight(pieces, below), np.concatenate(biases), np.concatenate(masks))
    return layer, _Outputs.of(parts)


def _weight(pieces: list[tuple[dict[Block, Rows], np.ndarray | None, int]], below: _Outputs) -> np.ndarray | csr_array:
    """The matrix over the outputs of the layer below; each piece is terms, which rows of them (None: all),
    and count.
    """
    stacked: list[Rows] = []
    for terms, kept, count in pieces:
        total: Rows = Picks(np.full(count, -1), below.count)
        read = [(block, rows) for block, rows in terms.items() if block in below.places]  # of others nothing is read
        for number, (block, rows) in enumerate(read):
            part = rows if kept is None else matrices.take(rows, kept)
            # Different blocks have different columns, so that nothing is added and nothing rounded.
            placed, _ = matrices.applied(part, Picks(below.places[block], below.count))
            total = placed if number == 0 else matrices.added(total, placed)[0]
        stacked.append(total)
    return _stored_form(matrices.stack(stacked))


def _stored_form(rows: Rows) -> np.ndarray | csr_array:
    """Dense where many entries are set, else CSR with sorted columns and no zeros."""
    if isinstance(rows, np.ndarray):
        return rows
    matrix = matrices.sparse(rows)
    if matrix.nnz >= _DENSE_SHARE * matrix.shape[0] * matrix.shape[1]:
        return matrix.toarray()
    matrix = matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _stored(weight: np.ndarray | csr_array) -> int:
    return int(weight.size if isinstance(weight, np.ndarray) else weight.nnz)
