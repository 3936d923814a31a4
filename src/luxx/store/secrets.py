"""Secrets: how keys of providers are encrypted at rest, and where the key to them comes from."""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from luxx.core.errors import ConfigurationError
from luxx.store.directory import make_private

KEY_FILE = "secret.key"


class SecretBox:
    """Encrypts with the first of its keys and decrypts with any of them (Fernet: AES-128-CBC and HMAC-SHA-256)."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first. Raises ConfigurationError if one is not a key, or none is given."""
        try:
            raw = [base64.b64decode(key, altchars=b"-_", validate=True) for key in keys]
            self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in raw])
        except ValueError as error:
            raise ConfigurationError(
                "The secret key must be one or more Fernet keys (32 bytes in URL-safe base64), separated by commas, newest first."
                " To make one: openssl rand -base64 32 | tr '+/' '-_'"
            ) from error
        self.fingerprints = tuple(_fingerprint(key) for key in raw)
        self._newest = raw[0]

    @property
    def fingerprint(self) -> str:
        """What tells the newest key from others without giving it away."""
        return self.fingerprints[0]

    def derived(self, purpose: str) -> str:
        """Return a secret that whoever has the newest key can make, and that tells nothing about the key."""
        made = hmac.digest(self._newest, b"luxx derived secret:" + purpose.encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def encrypt(self, text: str) -> bytes:
        """Return the text encrypted with the newest key."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, token: bytes) -> str:
        """Return the text. Raises ConfigurationError if none of the keys made the token."""
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                "A stored key cannot be decrypted: the secret key is not the one it was stored with."
            ) from error

    def rotated(self, token: bytes) -> bytes:
        """Return the token encrypted anew with the newest key. Raises ConfigurationError as `decrypt`."""
        return self.encrypt(self.decrypt(token))


def open_secrets(data_dir: Path, keys: str | None) -> SecretBox:
    """Return the box for the keys given (separated by commas, newest first), else for the key file in the data directory.

    The file is made if it is not there. Raises ConfigurationError for what is not a key, or a file that cannot be read.
    """
    if keys is not None:
        return SecretBox(_apart(keys))
    try:
        return SecretBox(_apart(_from_file(data_dir / KEY_FILE)))
    except OSError as error:
        raise ConfigurationError(f"The secret key in {data_dir} cannot be used: {error.strerror or error}.") from error


def given_secrets(keys: str | None, key_file: Path | None) -> SecretBox:
    """Return the box for the keys given, else for those in a file that must be there: every node needs the same.

    Raises ConfigurationError.
    """
    if keys is not None:
        return SecretBox(_apart(keys))
    if key_file is None:
        raise ConfigurationError(
            "All servers on one database need the same secret key: set LUXX_SECRET_KEY, or LUXX_SECRET_KEY_FILE to a file"
            " with it. To make one: openssl rand -base64 32 | tr '+/' '-_'"
        )
    try:
        return SecretBox(_apart(key_file.read_text(encoding="ascii", errors="replace")))
    except OSError as error:
        raise ConfigurationError(
            f"The secret key file {key_file} cannot be read: {error.strerror or error}."
        ) from error


def _apart(keys: str) -> list[str]:
    return keys.replace(",", " ").split()


def _from_file(path: Path) -> str:
    if not path.exists():
        make_private(path.parent)
        _create(path)
    return path.read_text(encoding="ascii", errors="replace")


def _create(path: Path) -> None:
    """Make the key file whole or not at all, and never over one that another process has made meanwhile."""
    draft = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(opened, Fernet.generate_key() + b"\n")
        os.fsync(opened)
    finally:
        os.close(opened)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"luxx secret key fingerprint:" + key).hexdigest()[:32]
