"""Addresses that look like Fly's; nothing listens there."""

import secrets

from infra.localcloud.fly.model import Address, AddressType, App, now

SHARED_IPV4 = "66.241.125.10"


def first_addresses(app: App) -> list[Address]:
    """What the first deployment of a service provides."""
    return [_dedicated_v6(app.number), _shared_v4("")]


def allocate(app: App, kind: AddressType, region: str) -> Address:
    """Adds one to the app; the shared one is the same for every app and is there once."""
    if kind == "shared_v4":
        app.addresses = [address for address in app.addresses if address.type != kind]
        address = _shared_v4("global")
    elif kind == "v6":
        address = _dedicated_v6(secrets.randbits(16), region)
    elif kind == "private_v6":
        number = secrets.randbits(16)
        address = _made(f"fdaa:0:1:0:1::{number:x}", kind, "global", number)
    else:
        number = secrets.randbits(16)
        address = _made(f"137.66.{number >> 8}.{number & 255}", kind, region, number)
    app.addresses = [*app.addresses, address]
    return address


def _dedicated_v6(number: int, region: str = "global") -> Address:
    return _made(f"2a09:8280:1::{number & 0xFFFF:x}:1:0", "v6", region, number)


def _shared_v4(region: str) -> Address:
    return Address(id="", address=SHARED_IPV4, type="shared_v4", region=region, created_at=now())


def _made(address: str, kind: AddressType, region: str, number: int) -> Address:
    return Address(id=f"ip_{number:x}", address=address, type=kind, region=region, created_at=now())
