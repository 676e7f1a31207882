"""Keys: made once, kept private, and only their owner can sign."""

import stat
from pathlib import Path

import pytest

from shared.runtime.errors import SettingsError
from shared.runtime.keys import load_or_create_seed, signer, verifier


def test_makes_a_seed_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "risk.seed"
    seed = load_or_create_seed(path)
    assert load_or_create_seed(path) == seed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["risk.seed"]


def test_a_signature_holds_for_its_message_and_key_alone(tmp_path: Path) -> None:
    public_key, sign = signer(load_or_create_seed(tmp_path / "one"))
    another_key, _ = signer(load_or_create_seed(tmp_path / "two"))
    signature = sign(b"approved")
    assert verifier(public_key)(b"approved", signature)
    assert not verifier(public_key)(b"approvee", signature)
    assert not verifier(another_key)(b"approved", signature)


@pytest.mark.parametrize("signature", ["", "nonsense!", "AAAA", "ä"])
def test_garbage_is_no_signature(tmp_path: Path, signature: str) -> None:
    public_key, _ = signer(load_or_create_seed(tmp_path / "seed"))
    assert not verifier(public_key)(b"approved", signature)


def test_refuses_a_file_that_holds_no_seed(tmp_path: Path) -> None:
    (tmp_path / "seed").write_text("not a seed")
    with pytest.raises(SettingsError, match="holds no NKEY seed"):
        load_or_create_seed(tmp_path / "seed")


def test_refuses_a_public_key_with_a_typing_error(tmp_path: Path) -> None:
    public_key, _ = signer(load_or_create_seed(tmp_path / "seed"))
    wrong = public_key[:20] + ("A" if public_key[20] != "A" else "B") + public_key[21:]
    with pytest.raises(SettingsError, match="RISK_PUBLIC_KEY"):
        verifier(wrong)
