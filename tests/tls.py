"""A certificate for this machine, which exists for as long as the tests do."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator


@attrs.frozen
class TrustedServer:
    """What a server needs so that those who trust its certificate speak to it.

    Attributes:
        certificate: The file to trust.
    """

    certificate: str
    _context: ssl.SSLContext

    def over(self, script: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
        """The same script for `serving`, under TLS."""

        def play(connection: socket.socket) -> None:
            with self._context.wrap_socket(connection, server_side=True) as secured:
                script(secured)

        return play


@contextmanager
def trusted_server() -> Generator[TrustedServer]:
    """A server's certificate for localhost, 127.0.0.1 and api.test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.DNSName("api.test"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        text = certificate.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(text + secret)
        public = Path(folder) / "trusted.pem"
        public.write_bytes(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        yield TrustedServer(str(public), context)
