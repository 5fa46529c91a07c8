"""What was found out about one digit: the certificates and attacks so far, in the forms that the page shows."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relucert_core.figures.number_line import ESTIMATE, LOWER, UPPER, Mark
from relucert_core.words import NORM_NAMES, down, duration, number, up

if TYPE_CHECKING:
    from relucert_core.attacks.result import Attack, AttackEntry
    from relucert_core.certificates.result import Certificate, CertificateEntry

REGION = "simplex"
REGION_TITLE = "safe radius of the region"


@dataclass
class Answers:
    """Certificates and attacks of one digit by method, with the registry's entries that name them.

    extra_upper: the distance of the nearest decision point inside the region, once it was asked for (else inf).
    lost: why a method has no answer this time, for the page.
    """

    norm: float
    certificate_entries: list[CertificateEntry]
    attack_entries: list[AttackEntry]
    certificates: dict[str, Certificate] = field(default_factory=dict)
    attacks: dict[str, Attack] = field(default_factory=dict)
    extra_upper: float = math.inf
    lost: str = ""

    def leave_out(self, name: str, reason: str = "") -> None:
        """A method has no answer: its line is left out; `reason` is a sentence for the page."""
        self.certificate_entries = [entry for entry in self.certificate_entries if entry.name != name]
        self.attack_entries = [entry for entry in self.attack_entries if entry.name != name]
        self.lost = reason or self.lost

    @property
    def region(self) -> Certificate:
        """The certificate of the digit's own region, the paper's simplex certificate."""
        return self.certificates[REGION]

    @property
    def proofs(self) -> list[Certificate]:
        """The certificates that are proofs, estimates left out."""
        return [c for c in self.certificates.values() if c.guarantee != "estimate"]

    @property
    def best_lower(self) -> Certificate:
        """The largest proven radius; the region's when equal."""
        return max(self.proofs, key=lambda c: (c.radius, c.method == REGION))

    @property
    def best_title(self) -> str:
        """What the method of `best_lower` is called on the page."""
        return next(display_title(e) for e in self.certificate_entries if e.name == self.best_lower.method)

    @property
    def best_attack(self) -> Attack | None:
        """The success at the smallest distance."""
        found = [a for a in self.attacks.values() if a.success]
        return min(found, key=lambda a: a.distance) if found else None

    @property
    def best_witness(self) -> Certificate | None:
        """The certificate with the nearest witness, when that lies nearer than every attack's point."""
        reached = min((a.distance for a in self.attacks.values() if a.success), default=math.inf)
        nearer = [c for c in self.proofs if c.witness is not None and c.upper < reached]
        return min(nearer, key=lambda c: c.upper) if nearer else None

    @property
    def upper(self) -> float:
        """The smallest distance at which an adversarial point is known."""
        distances = [a.distance for a in self.attacks.values() if a.success]
        return min([*distances, *(c.upper for c in self.proofs), self.extra_upper])

    @property
    def exact(self) -> bool:
        """Does a certificate come with its witness, so that the radius is the true distance?"""
        return any(c.guarantee == "exact" and c.radius >= self.best_lower.radius for c in self.proofs)

    def marks(self) -> list[Mark]:
        """All bounds as marks of the number line; at most three are named."""
        marks = [self._lower_mark(entry) for entry in self.certificate_entries if entry.name in self.certificates]
        marks += [self._upper_mark(entry) for entry in self.attack_entries if entry.name in self.attacks]
        if (witness := self.best_witness) is not None:
            title = next(display_title(e) for e in self.certificate_entries if e.name == witness.method)
            marks.append(Mark(f"found by: {title}", witness.upper, UPPER, up(witness.upper)))
        if self.extra_upper < math.inf:
            marks.append(Mark("nearest in the region", self.extra_upper, UPPER, up(self.extra_upper)))
        return marks

    def _lower_mark(self, entry: CertificateEntry) -> Mark:
        certificate = self.certificates[entry.name]
        estimate = certificate.guarantee == "estimate"
        value = certificate.radius
        named = not estimate and entry.name in (REGION, self.best_lower.method)
        title = display_title(entry)
        title += "" if "estimate" in title or not estimate else " (estimate)"
        return Mark(title, value, ESTIMATE if estimate else LOWER, number(value) if estimate else down(value), named)

    def _upper_mark(self, entry: AttackEntry) -> Mark:
        attack, best = self.attacks[entry.name], self.best_attack
        named = best is not None and best.method == entry.name
        return Mark(
            f"attack: {entry.title}",
            attack.distance,
            UPPER,
            up(attack.distance) if attack.success else "not found",
            named,
        )

    def table(self) -> dict[str, list[str]]:
        """All bounds as a table of text, columns by name."""
        rows = []
        for entry in self.certificate_entries:
            if (c := self.certificates.get(entry.name)) is not None:
                text = number(c.radius) if c.guarantee == "estimate" else down(c.radius)
                rows.append(
                    (display_title(entry), _KINDS[c.guarantee], text, duration(c.seconds), c.status.split(":")[0])
                )
        for attack_entry in self.attack_entries:
            if (a := self.attacks.get(attack_entry.name)) is not None:
                text, status = (up(a.distance), "ok") if a.success else ("-", "nothing found")
                rows.append((attack_entry.title, "upper bound (attack)", text, duration(a.seconds), status))
        names = ("Method", "Kind", f"Distance ({NORM_NAMES[self.norm]})", "Time", "Status")
        return dict(zip(names, map(list, zip(*rows)))) if rows else {}

    def sentences(self) -> list[tuple[str, str]]:
        """Title and plain sentence of every method that answered."""
        entries: list[Any] = [e for e in self.certificate_entries if e.name in self.certificates]
        entries += [e for e in self.attack_entries if e.name in self.attacks]
        return [(display_title(entry), entry.sentence) for entry in entries]


def display_title(entry: CertificateEntry | AttackEntry) -> str:
    """How the page names a method: the paper's "simplex" is simply the region's safe radius."""
    return REGION_TITLE if entry.name == REGION else entry.title


_KINDS = {"lower bound": "lower bound (proved)", "exact": "exact (proved)", "estimate": "estimate, no proof"}


def as_json(answers: Answers, about: dict[str, Any], logits: list[float]) -> str:
    """All numbers of the page as JSON; infinite ones are null, with their status beside them."""
    certificates = [
        {
            "method": c.method,
            "radius": c.radius,
            "guarantee": c.guarantee,
            "status": c.status,
            "limit": str(c.limit) if c.limit else None,
            "upper": c.upper,
            "parts": {k: v for k, v in c.parts.items() if isinstance(v, (int, float, str, bool))},
            "seconds": c.seconds,
        }
        for c in answers.certificates.values()
    ]
    attacks = [
        {
            "method": a.method,
            "distance": a.distance,
            "success": a.success,
            "prediction": a.prediction,
            "seconds": a.seconds,
            "point": a.point.tolist() if a.success else None,
        }
        for a in answers.attacks.values()
    ]
    record = {
        **about,
        "logits": logits,
        "certificates": certificates,
        "attacks": attacks,
        "nearest_decision_point_in_region": answers.extra_upper,
    }
    return json.dumps(_finite(record), indent=1, allow_nan=False)


def _finite(value: Any) -> Any:
    """The value with infinities and NaNs as None, so that it is JSON."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
