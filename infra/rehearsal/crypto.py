"""Pulumi's passphrase secrets: values as `v1:<nonce>:<ciphertext>`, the key from a passphrase and a salt.

AES-256-GCM, PBKDF2-HMAC-SHA256 with a million rounds; the salt line carries the word "pulumi" encrypted, which
tells a wrong passphrase. Source of the format: pulumi/pulumi, sdk/go/common/resource/config/crypt.go.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROUNDS, KEY_BYTES, NONCE_BYTES, SALT_BYTES = 1_000_000, 32, 12, 8
WITNESS = "pulumi"


class SecretsError(RuntimeError):
    """A secret cannot be read; the message says of which file or variable and what to do."""


class Crypter:
    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, text: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        return f"v1:{_encoded(nonce)}:{_encoded(self._cipher.encrypt(nonce, text.encode(), None))}"

    def decrypt(self, value: str) -> str:
        """Raises SecretsError if it is no such value or was made with another key."""
        try:
            version, nonce, ciphertext = value.split(":")
            if version != "v1":
                raise ValueError(version)
            return self._cipher.decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None).decode()
        except InvalidTag as error:
            raise SecretsError("a secure value cannot be decrypted: it was encrypted with another key") from error
        except ValueError as error:
            raise SecretsError("a secure value is damaged: it is not of the form v1:<nonce>:<ciphertext>") from error


def from_passphrase(passphrase: str, encryption_salt: str) -> Crypter:
    """The crypter of a stack file's `encryptionsalt`. Raises SecretsError for a wrong passphrase."""
    parts = encryption_salt.split(":", 2)
    if len(parts) != 3 or parts[0] != "v1":
        raise SecretsError(f"encryptionsalt {encryption_salt!r} is not of the form v1:<salt>:v1:<nonce>:<ciphertext>")
    crypter = Crypter(_derived(passphrase, base64.b64decode(parts[1])))
    try:
        right = crypter.decrypt(parts[2]) == WITNESS
    except SecretsError:
        right = False
    if not right:
        raise SecretsError(
            "the passphrase is wrong: it does not fit the stack's encryptionsalt; "
            "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the one the stack was made with"
        )
    return crypter


def new_salt(passphrase: str) -> str:
    salt = os.urandom(SALT_BYTES)
    return f"v1:{_encoded(salt)}:{Crypter(_derived(passphrase, salt)).encrypt(WITNESS)}"


def passphrase(environment: Mapping[str, str]) -> str:
    """From PULUMI_CONFIG_PASSPHRASE or the file that PULUMI_CONFIG_PASSPHRASE_FILE names. Raises SecretsError."""
    if (given := environment.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
        return given
    if named := environment.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(named).read_text().strip()
        except OSError as error:
            raise SecretsError(f"PULUMI_CONFIG_PASSPHRASE_FILE: cannot read {named}: {error.strerror}") from error
    raise SecretsError(
        "the stack has secrets and no passphrase is given: "
        "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it"
    )


def from_key_file(path: Path) -> Crypter:
    """A random key of its own for a stack without a passphrase, kept in a file of mode 0600 beside the state."""
    if path.exists():
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise SecretsError(f"{path} is damaged: it holds {len(key)} bytes, not a key of {KEY_BYTES}")
        return Crypter(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = os.urandom(KEY_BYTES)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return Crypter(key)


def _derived(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, KEY_BYTES)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
