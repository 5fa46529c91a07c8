from __future__ import annotations

import pytest

import relucert_core as rc
from pages.digits import engine

CERTIFICATES = ("simplex", "decision-boundary", "crown-ada")
ATTACKS = ("deepfool",)


@pytest.fixture(autouse=True)
def few_methods(request, monkeypatch):
    """A page opened without a browser is answered by few methods, which is quicker; `every_method` asks for all."""
    if "every_method" in request.fixturenames:
        return
    all_certificates, all_attacks = engine.certificates_for, engine.attacks_for
    monkeypatch.setattr(
        engine, "certificates_for", lambda net, norm: [e for e in all_certificates(net, norm) if e.name in CERTIFICATES]
    )
    monkeypatch.setattr(engine, "attacks_for", lambda norm: [e for e in all_attacks(norm) if e.name in ATTACKS])


@pytest.fixture
def every_method():
    """All certificates and attacks of the registry."""
    assert len(rc.CERTIFICATES) > len(CERTIFICATES)
