"""Names and certificates. Certificates are signed here by an authority that only these tests trust."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.deploy.errors import DeployError
from infra.deploy.verify import hosts
from infra.deploy.verify.report import StillUsableError
from tests.infra.deploy.verify.conftest import verified
from tests.infra.deploy.world import World


class Authority:
    """Signs certificates; `trusted` is its own, for SSL_CERT_FILE."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of tests")])
        own = self._builder(self._name, self._key, 90).add_extension(x509.BasicConstraints(True, None), True)
        self.trusted = folder / "authority.pem"
        self.trusted.write_bytes(self._signed(own).public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, days: int) -> Path:
        """Key and certificate in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        signed = self._signed(self._builder(subject, key, days).add_extension(names, False))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._folder / f"{host}-{days}.pem"
        path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return path

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        ends = now + timedelta(days=days, hours=12)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=99))
        return builder.not_valid_after(ends)

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._key, hashes.SHA256())


@asynccontextmanager
async def speaking_tls(certificate: Path) -> AsyncIterator[int]:
    """A server that answers every request with a page; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            body = b"<html></html>"
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
            await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.trusted))
    return made


async def test_a_valid_certificate_says_how_long(authority: Authority) -> None:
    async with speaking_tls(authority.issue("localhost", 90)) as port:
        assert await hosts.certificate("localhost", port) == "valid, 90 days left"


@pytest.mark.parametrize("days", [14, 3, 0])
async def test_one_that_ends_soon_fails_but_can_be_used(authority: Authority, days: int) -> None:
    async with speaking_tls(authority.issue("localhost", days)) as port:
        with pytest.raises(StillUsableError, match=f"ends in {days} days"):
            await hosts.certificate("localhost", port)


async def test_fifteen_days_are_enough(authority: Authority) -> None:
    async with speaking_tls(authority.issue("localhost", 15)) as port:
        assert await hosts.certificate("localhost", port) == "valid, 15 days left"


@pytest.mark.parametrize(
    ("host", "days", "reason"), [("localhost", -1, "expired"), ("elsewhere.example", 90, "mismatch")]
)
async def test_an_invalid_one_is_refused(authority: Authority, host: str, days: int, reason: str) -> None:
    async with speaking_tls(authority.issue(host, days)) as port:
        with pytest.raises(DeployError, match=reason):
            await hosts.certificate("localhost", port)


async def test_one_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    async with speaking_tls(Authority(tmp_path).issue("localhost", 90)) as port:
        with pytest.raises(DeployError, match="is not valid"):
            await hosts.certificate("localhost", port)


async def test_a_port_without_tls_is_named(stack: World) -> None:
    port = int(stack.app_url.rpartition(":")[2])
    with pytest.raises(DeployError, match="localhost"):
        await hosts.certificate("localhost", port)


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1", "::1"])
async def test_loopback_says_so(host: str) -> None:
    assert "loopback" in await hosts.resolve(host)


async def test_every_host_has_a_row_and_every_https_one_a_certificate(stack: World) -> None:
    outputs = stack.outputs(
        app_url="https://app.example.com",
        api_url="https://api.example.com",
        health_url="https://api.example.com/api/health",
        ws_url="wss://api.example.com/ws",
        landing_url="https://example.com",
    )
    assert [check.name for check in hosts.checks(outputs)] == [
        "DNS app.example.com",
        "certificate app.example.com",
        "DNS api.example.com",
        "certificate api.example.com",
        "DNS example.com",
        "certificate example.com",
    ]


async def test_in_a_whole_run_a_name_that_does_not_resolve_is_the_row_that_fails(
    stack: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.deploy.verify.recording.run", _unused)
    report = await verified(stack, landing_url="http://no-such-name.invalid")
    assert [name for name in report.failed if name != "recording"] == ["DNS no-such-name.invalid"]
    assert next(row for row in report.rows if row.name == "landing page").state == "-"


async def test_in_a_whole_run_a_certificate_that_ends_soon_is_the_row_that_fails(
    stack: World, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.deploy.verify.recording.run", _unused)
    async with speaking_tls(authority.issue("localhost", 10)) as port:
        report = await verified(stack, landing_url=f"https://localhost:{port}")
    assert [name for name in report.failed if name != "recording"] == [f"certificate localhost:{port}"]
    assert next(row for row in report.rows if row.name == "landing page").state == "ok"


def _unused(*_: object, **__: object) -> str:
    raise DeployError("the recording does not matter here")
