"""A certificate authority of a test's own."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates and keeps them as files below *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("authority")
        certificate = (
            _unsigned(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = path / "ca.crt"
        self.file.write_bytes(certificate.public_bytes(_PEM))

    def issue(self, name: str, file: str, *, group: str = "") -> tuple[Path, Path]:
        """
        Write a certificate for *name* at 127.0.0.1, and its key, to files called *file*.

        To Kubernetes it is a user of *group*.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        certificate = (
            _unsigned(_named(name, group), self._name, key.public_key())
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pair = self._path / f"{file}.crt", self._path / f"{file}.key"
        pair[0].write_bytes(certificate.public_bytes(_PEM))
        pair[1].write_bytes(
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return pair

    def server(self, *, ask: bool = False) -> ssl.SSLContext:
        """Build a server's side; *ask* lets it demand a certificate of the client, too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue("server", "server"))
        context.load_verify_locations(self.file)
        context.verify_mode = ssl.CERT_REQUIRED if ask else ssl.CERT_NONE
        return context


def _named(name: str, group: str = "") -> x509.Name:
    common = x509.NameAttribute(NameOID.COMMON_NAME, name)
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*groups, common])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
    )
