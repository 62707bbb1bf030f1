import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from agent.simulator.certificate import certificate_in

TODAY = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_certificate_is_made_once_and_renewed_before_it_ends(tmp_path: Path) -> None:
    cert, key = certificate_in(tmp_path / "new", TODAY)
    first = cert.read_bytes(), key.read_bytes()
    certificate_in(cert.parent, TODAY + timedelta(days=28))
    assert (cert.read_bytes(), key.read_bytes()) == first
    certificate_in(cert.parent, TODAY + timedelta(days=29, hours=1))
    assert cert.read_bytes() != first[0]
    assert key.read_bytes() != first[1]


def test_a_broken_certificate_is_replaced(tmp_path: Path) -> None:
    cert, _ = certificate_in(tmp_path, TODAY)
    cert.write_text("broken")
    certificate_in(tmp_path, TODAY)
    x509.load_pem_x509_certificate(cert.read_bytes())


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    _, key = certificate_in(tmp_path, TODAY)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_strict_client_can_trust_it_as_its_only_authority(tmp_path: Path) -> None:
    cert, _ = certificate_in(tmp_path, TODAY)
    context = ssl.create_default_context(cafile=cert)
    assert [one["notAfter"] for one in context.get_ca_certs()] == ["Dec  1 00:00:00 2026 GMT"]
