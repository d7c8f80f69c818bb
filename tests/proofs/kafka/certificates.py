"""A certificate authority of the proof's own, and the certificates that it signs."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


class Authority:
    """Signs certificates; its own is `ca.crt`.

    Args:
        folder: Where all is written, as PEM.
        name: Common name of the authority.
    """

    def __init__(self, folder: Path, name: str = "proof CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        own = self._builder(self._name, self._key, expired=False).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = folder / "ca.crt"
        self._write(self.certificate, own)

    def issue(self, name: str, *, expired: bool = False) -> tuple[Path, Path]:
        """Sign a certificate for this machine; return the files of certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        stem = f"{name}-expired" if expired else name
        signed, secret = self._folder / f"{stem}.crt", self._folder / f"{stem}.key"
        names = x509.SubjectAlternativeName(LOOPBACK)
        self._write(signed, self._builder(_name(name), key, expired).add_extension(names, False))
        secret.write_bytes(_pem(key))
        secret.chmod(0o600)
        return signed, secret

    def keystore(self, name: str, *, expired: bool = False) -> Path:
        """Sign a certificate and return one file with key and certificate, as a broker reads it."""
        signed, secret = self.issue(name, expired=expired)
        store = signed.with_suffix(".pem")
        store.write_bytes(secret.read_bytes() + signed.read_bytes())
        store.chmod(0o600)
        return store

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, expired: bool
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 9 * DAY)
            .not_valid_after(now + (-DAY if expired else 9 * DAY))
        )

    def _write(self, file: Path, builder: x509.CertificateBuilder) -> None:
        signed = builder.sign(self._key, hashes.SHA256())
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
