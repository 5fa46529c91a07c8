"""What was found out about one digit: the certificates and attacks so far, in the forms that the page shows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pages.shared.words import distance
from relucert_core.figures.number_line import ESTIMATE, LOWER, UPPER, Mark
from relucert_core.words import NONE, NORM_NAMES, down, duration, number, up

if TYPE_CHECKING:
    import numpy as np

    from relucert_core.attacks.result import Attack, AttackEntry
    from relucert_core.certificates.result import Certificate, CertificateEntry
    from relucert_core.experiments.best_known import BestKnown

REGION = "simplex"
REGION_TITLE = "safe radius of the region"


@dataclass
class Answers:
    """Certificates and attacks of one digit by method, with the registry's entries that name them.

    base: the record that was known of the digit before; `best` is that record with every answer joined to it.
    extra_upper: the distance of the nearest decision point inside the region, once it was asked for (else inf).
    in_range: only adversarial digits with every pixel between black and white count.
    lost: why a method has no answer this time, for the page.
    """

    base: BestKnown
    certificate_entries: list[CertificateEntry]
    attack_entries: list[AttackEntry]
    certificates: dict[str, Certificate] = field(default_factory=dict)
    attacks: dict[str, Attack] = field(default_factory=dict)
    extra_upper: float = math.inf
    in_range: bool = False
    lost: str = ""

    def leave_out(self, name: str, reason: str = "") -> None:
        """A method has no answer: its line is left out; `reason` is a sentence for the page."""
        self.certificate_entries = [entry for entry in self.certificate_entries if entry.name != name]
        self.attack_entries = [entry for entry in self.attack_entries if entry.name != name]
        self.lost = reason or self.lost

    @property
    def norm(self) -> float:
        """The norm of all distances."""
        return self.base.norm

    @property
    def region(self) -> Certificate:
        """The certificate of the digit's own region, the paper's simplex certificate."""
        return self.certificates[REGION]

    @property
    def proofs(self) -> list[Certificate]:
        """The certificates that are proofs, estimates left out."""
        return [c for c in self.certificates.values() if c.guarantee != "estimate"]

    @property
    def found(self) -> BestKnown:
        """All that is known, whatever the pixels of the nearest adversarial digit are."""
        from relucert_core.experiments.best_known import with_bounds, with_certificate

        known = self.base
        for certificate in self.certificates.values():
            known = with_certificate(known, certificate)
        for attack in self.attacks.values():
            if attack.success:
                known = with_bounds(known, 0.0, "", attack.distance, attack.method, attack.point)
        return known

    @property
    def best(self) -> BestKnown:
        """The headline: the best proved radius and the nearest adversarial digit that counts, with their methods."""
        from relucert_core.experiments.best_known import with_bounds

        found = self.found
        if not self.in_range or (found.witness is not None and _in_range(found.witness)):
            return found
        best = replace(found, upper=math.inf, upper_by="", witness=None)
        for attack in self.attacks.values():
            if attack.success and _in_range(attack.point):
                best = with_bounds(best, 0.0, "", attack.distance, attack.method, attack.point)
        return best

    @property
    def best_attack(self) -> Attack | None:
        """The success at the smallest distance."""
        found = [a for a in self.attacks.values() if a.success]
        return min(found, key=lambda a: a.distance) if found else None

    def marks(self) -> list[Mark]:
        """All bounds as marks of the number line; at most three are named."""
        best = self.best
        marks = [self._lower_mark(e, best) for e in self.certificate_entries if e.name in self.certificates]
        marks += [self._upper_mark(e, best) for e in self.attack_entries if e.name in self.attacks]
        titles = titles_of_makers()
        if all(best.lower > c.radius for c in self.proofs):
            marks.append(Mark(titles(best.lower_by), best.lower, LOWER, down(best.lower), named=True))
        if best.upper < math.inf and all(best.upper < a.distance for a in self.attacks.values() if a.success):
            text = distance(best.lower, best.upper, exact=best.exact)
            marks.append(Mark(f"found by: {titles(best.upper_by)}", best.upper, UPPER, text, named=True))
        if self.extra_upper < math.inf:
            marks.append(Mark("nearest in the region", self.extra_upper, UPPER, up(self.extra_upper)))
        return marks

    def _lower_mark(self, entry: CertificateEntry, best: BestKnown) -> Mark:
        certificate = self.certificates[entry.name]
        estimate = certificate.guarantee == "estimate"
        value = certificate.radius
        named = not estimate and (entry.name == REGION or (entry.name == best.lower_by and value == best.lower))
        title = display_title(entry)
        title += "" if "estimate" in title or not estimate else " (estimate)"
        text = number(value, 3) if estimate else down(value)
        return Mark(title, value, ESTIMATE if estimate else LOWER, text, named)

    def _upper_mark(self, entry: AttackEntry, best: BestKnown) -> Mark:
        attack = self.attacks[entry.name]
        nearest = attack.success and attack.distance <= best.upper
        words = distance(best.lower, attack.distance, exact=best.exact and nearest) if attack.success else "not found"
        return Mark(f"attack: {entry.title}", attack.distance, UPPER, words, nearest and attack.method == best.upper_by)

    def table(self) -> dict[str, list[str]]:
        """All bounds as a table of text, columns by name."""
        best, titles = self.best, titles_of_makers()
        who = f"Headline: {titles(best.lower_by)}", f"Headline: {titles(best.upper_by)}"
        rows = [
            (who[0], "exact (proved)" if best.exact else "lower bound (proved)", down(best.lower), "", "best known")
        ]
        if best.upper < math.inf:
            far = distance(best.lower, best.upper, exact=best.exact)
            rows.append((who[1], "upper bound (attack)", far, "", "best known"))
        for entry in self.certificate_entries:
            if (c := self.certificates.get(entry.name)) is not None:
                text = number(c.radius, 3) if c.guarantee == "estimate" else down(c.radius)
                rows.append(
                    (display_title(entry), _KINDS[c.guarantee], text, duration(c.seconds), c.status.split(":")[0])
                )
        for attack_entry in self.attack_entries:
            if (a := self.attacks.get(attack_entry.name)) is not None:
                text, status = (up(a.distance), "ok") if a.success else (NONE, "nothing found")
                rows.append((attack_entry.title, "upper bound (attack)", text, duration(a.seconds), status))
        names = ("Method", "Kind", f"Distance ({NORM_NAMES[self.norm]})", "Time", "Status")
        return dict(zip(names, map(list, zip(*rows))))

    def sentences(self) -> list[tuple[str, str]]:
        """Title and plain sentence of every method that answered, or made the headline."""
        from relucert_core.attacks import ATTACKS
        from relucert_core.registry import CERTIFICATES

        entries: list[Any] = [e for e in self.certificate_entries if e.name in self.certificates]
        entries += [e for e in self.attack_entries if e.name in self.attacks]
        named = {entry.name for entry in entries}
        makers = {**CERTIFICATES, **ATTACKS}
        entries += [makers[name] for name in (self.best.lower_by, self.best.upper_by) if name in makers.keys() - named]
        return [(display_title(entry), entry.sentence) for entry in entries]


def display_title(entry: CertificateEntry | AttackEntry) -> str:
    """How the page names a method: the paper's "simplex" is simply the region's safe radius."""
    return REGION_TITLE if entry.name == REGION else entry.title


_KINDS = {"lower bound": "lower bound (proved)", "exact": "exact (proved)", "estimate": "estimate, no proof"}


def titles_of_makers() -> Callable[[str], str]:
    """How the page names whoever made a bound."""
    from relucert_core.experiments.best_known import maker_titles

    titles = maker_titles() | {REGION: REGION_TITLE}
    return lambda name: titles.get(name, name)


def _in_range(picture: np.ndarray) -> bool:
    """Does every pixel lie between black and white?"""
    return bool(picture.min() >= 0 and picture.max() <= 1)


def as_json(answers: Answers, about: dict[str, Any], logits: list[float]) -> str:
    """All numbers of the page as JSON; infinite ones are null, with their status beside them."""
    best = answers.best
    headline = {
        "lower": best.lower, "lower_by": best.lower_by, "upper": best.upper, "upper_by": best.upper_by,
        "exact": best.exact, "norm": NORM_NAMES[best.norm],
        "shown": [down(best.lower), distance(best.lower, best.upper, exact=best.exact)],
        "witness": None if best.witness is None else best.witness.tolist(),
    }  # fmt: skip
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
        "headline": headline,
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
