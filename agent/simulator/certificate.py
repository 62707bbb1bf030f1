"""Creates a self-signed certificate for a server on this machine.

google-genai uses TLS whatever base URL it is given. So the simulated server needs a certificate,
and the client is told to trust it with SSL_CERT_FILE.
"""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=30)
RENEW_BEFORE = timedelta(days=1)


def certificate_in(folder: Path, now: datetime) -> tuple[Path, Path]:
    """A certificate and its key for 127.0.0.1, ::1 and localhost: ``cert.pem``, ``key.pem``.

    Existing files in the folder are used if they are valid for another day from `now` (an aware
    time); otherwise new ones are made. Only their owner can read the key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    if key_path.exists() and _is_good(cert_path, now):
        return cert_path, key_path
    key = ec.generate_private_key(ec.SECP256R1())
    key_path.touch(mode=0o600)
    key_path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption_algorithm=NoEncryption())
    )
    cert_path.write_bytes(_certificate(key, now).public_bytes(Encoding.PEM))
    return cert_path, key_path


def _is_good(cert_path: Path, now: datetime) -> bool:
    if not cert_path.exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate(cert_path.read_bytes())
    except ValueError:
        return False
    return now + RENEW_BEFORE < certificate.not_valid_after_utc


def _certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "offhook simulated Gemini Live")])
    public = key.public_key()
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(IPv4Address("127.0.0.1")),
            x509.IPAddress(IPv6Address("::1")),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # the client's clock may be behind
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
