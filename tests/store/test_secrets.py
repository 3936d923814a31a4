"""The secret box, and where its key comes from."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.errors import ConfigurationError
from luxx.store.secrets import SecretBox, open_secrets
from tests.store.engines import KEY

OTHER = Fernet.generate_key().decode()


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_encrypted_is_decrypted(text: str) -> None:
    box = SecretBox([KEY])
    token = box.encrypt(text)
    assert box.decrypt(token) == text
    assert token != box.encrypt(text)


def test_another_key_does_not_decrypt() -> None:
    token = SecretBox([KEY]).encrypt("sk-1")
    for wrong in (token, b"", b"nonsense", SecretBox([KEY]).encrypt("x")[:-1]):
        with pytest.raises(ConfigurationError) as refused:
            SecretBox([OTHER]).decrypt(wrong)
        assert "sk-1" not in str(refused.value)


def test_an_older_key_still_decrypts_and_is_replaced() -> None:
    token = SecretBox([KEY]).encrypt("sk-1")
    both = SecretBox([OTHER, KEY])
    assert both.decrypt(token) == "sk-1"
    assert SecretBox([OTHER]).decrypt(both.rotated(token)) == "sk-1"


def test_a_fingerprint_names_the_newest_key_without_showing_it() -> None:
    assert SecretBox([KEY]).fingerprint == SecretBox([KEY, OTHER]).fingerprint != SecretBox([OTHER]).fingerprint
    assert KEY[:8] not in SecretBox([KEY]).fingerprint


@pytest.mark.parametrize("keys", ["", " , ", "short", KEY + "x", f"{KEY},short", "ä" * 44])
def test_what_is_no_key_is_refused_with_what_to_do(tmp_path: Path, keys: str) -> None:
    with pytest.raises(ConfigurationError, match="To make one"):
        open_secrets(tmp_path, keys)


def test_given_keys_are_used_newest_first(tmp_path: Path) -> None:
    box = open_secrets(tmp_path, f" {OTHER}, {KEY} ")
    assert box.fingerprints == SecretBox([OTHER, KEY]).fingerprints
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    box = open_secrets(data_dir, None)
    assert [file.name for file in data_dir.iterdir()] == ["secret.key"]
    assert (data_dir / "secret.key").stat().st_mode & 0o777 == 0o600
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert open_secrets(data_dir, None).fingerprint == box.fingerprint


def test_a_key_file_may_hold_older_keys_too(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text(f"{OTHER}\n{KEY}\n")
    assert open_secrets(tmp_path, None).fingerprints == SecretBox([OTHER, KEY]).fingerprints


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("damaged")
    with pytest.raises(ConfigurationError):
        open_secrets(tmp_path, None)
    (tmp_path / "secret.key").unlink()
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(ConfigurationError):
        open_secrets(tmp_path, None)
