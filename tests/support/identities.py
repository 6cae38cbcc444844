"""Identities for tests: an issuer of tokens with published keys, and certificates of an authority of its own."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

ISSUER, AUDIENCE = "https://issuer.example", "policy"


def new_key(kid: str) -> ECKey:
    """A pair of keys with an id."""
    return ECKey.generate_key("P-256", {"kid": kid})


def published(*keys: ECKey) -> str:
    """Their public halves, as JSON."""
    return json.dumps(KeySet(list(keys)).as_dict(private=False))


@dataclass(frozen=True)
class Issuer:
    """Who issues tokens, by default good ones."""

    key: ECKey = field(default_factory=lambda: new_key("one"))

    def token(self, algorithm: str = "ES256", key: Any = None, kid: str = "one", **claims: object) -> str:
        """A token; claims of None are left out."""
        usual = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "sub": "tia", "role": "auditor"}
        told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": kid}, told, key or self.key, algorithms=[algorithm])


@dataclass(frozen=True)
class Certified:
    """The files of a certificate and its private key."""

    certificate: Path
    key: Path


def certified(folder: Path, name: str, by: Certified | None = None) -> Certified:
    """A certificate for this machine, signed by another or, where there is none, by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, signing = (subject, key) if by is None else _of(by)
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    found = Certified(folder / f"{name}.pem", folder / f"{name}.key")
    pem = serialization.Encoding.PEM
    found.certificate.write_bytes(built.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found.key.write_bytes(private)
    return found


def _of(authority: Certified) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(authority.certificate.read_bytes()).subject, key


def client(authority: Certified, shown: Certified | None = None) -> ssl.SSLContext:
    """What a client trusts, and the certificate that it shows."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context
