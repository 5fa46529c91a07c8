"""The JSON Schema (draft 2020-12) of a line, from which `relucert schema` prints and the tests check."""

from __future__ import annotations

from typing import Any

from relucert_core.jobs.lines import FORMAT

_NUMBER = {"type": ["number", "null"], "minimum": 0}
_COMMON: dict[str, Any] = {
    "format": {"const": FORMAT, "description": "version of this schema"},
    "index": {"type": "integer", "minimum": 0, "description": "place of the image in the data, from 0"},
    "image": {"type": "string", "pattern": "#[0-9a-f]{16}$", "description": "name#SHA-256 of the float64 point, cut"},
    "label": {"type": ["integer", "null"], "description": "class number of the data; null: not known"},
    "network": {"type": "string", "description": "the network as it was named"},
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the network's contents"},
    "method": {"type": "string"},
    "norm": {"enum": ["L1", "L2", "Linf"]},
    "run": {"type": "string", "pattern": "^[0-9a-f]{12}$", "description": "the settings that the line belongs to"},
    "status": {"type": "string", "description": "ok, or why a radius is 0 or not final, or a distance is missing"},
    "prediction": {"type": ["integer", "null"], "description": "class at the point; of an attack: at the point found"},
    "witness": {"type": "string", "contentEncoding": "base64", "description": "adversarial point, float64, little end"},
    "seconds": {**_NUMBER, "description": "wall time of the image's share"},
    "version": {
        "type": "string",
        "description": "the version of Relucert that wrote the line (records only, as below)",
    },
    "python": {"type": "string", "description": "Python's version"},
    "date": {"type": "string", "description": "when the line was written, UTC"},
    "hardware": {"type": "string", "description": "the processor that worked it out"},
    "command": {"type": "string", "description": "the command, or the Python, that makes the line again"},
    "cite": {"type": "string", "description": "BibTeX of the paper and of this software"},
    "point": {"type": "string", "contentEncoding": "base64", "description": "the point itself, where no data has it"},
}
_CERTIFICATE: dict[str, Any] = {
    "kind": {"const": "certificate"},
    "radius": {**_NUMBER, "description": "certified radius in the norm; null with status ok: infinite"},
    "guarantee": {"enum": ["lower bound", "exact", "estimate"]},
    "against": {"type": "integer", "description": "class against which adversarial is meant"},
    "limit": {"type": ["string", "null"], "description": "what limits the ball"},
    "upper": {**_NUMBER, "description": "distance of the witness, rounded up; null: none"},
    "ratio": {"type": ["number", "null"], "description": "radius / upper"},
    "parts": {"type": "object", "description": "the method's own numbers"},
}
_ATTACK: dict[str, Any] = {
    "kind": {"const": "attack"},
    "distance": {**_NUMBER, "description": "distance of the adversarial point, rounded up; null: none was found"},
    "success": {"type": "boolean"},
    "attacked": {"type": ["integer", "null"], "description": "the class that is left"},
}
_ALWAYS = ["format", "index", "image", "label", "network", "digest", "method", "norm", "run", "kind", "status"]


def line_schema() -> dict[str, Any]:
    """The schema of one line: a certificate's or an attack's."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Relucert line, format {FORMAT}",
        "oneOf": [
            _object(_CERTIFICATE, ["radius", "guarantee", "upper", "prediction", "seconds"]),
            _object(_ATTACK, ["distance", "success", "attacked", "prediction", "seconds"]),
        ],
    }


def _object(own: dict[str, Any], needed: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**_COMMON, **own},
        "required": [*_ALWAYS, *needed],
        "additionalProperties": False,
    }


def columns() -> list[str]:
    """All keys of a line in the order in which tables have them."""
    return list(dict.fromkeys([*_ALWAYS[:10], *_CERTIFICATE, *_ATTACK, *_COMMON]))
