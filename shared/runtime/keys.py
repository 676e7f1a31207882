"""Ed25519 signatures in the form of NATS NKEYs: the guard signs approvals, the runner checks them."""

import os
from base64 import b32decode, b64decode, b64encode
from binascii import Error as Base64Error
from functools import lru_cache
from pathlib import Path

import nkeys
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from shared.domain.approval import Sign, Verify
from shared.runtime.errors import SettingsError

_KEY_BYTES = 32
_PUBLIC_BYTES = 1 + _KEY_BYTES + 2
_USER_PREFIX = nkeys.PREFIX_BYTE_USER
_REMEMBERED = 16
"""An approval is checked when it is heard and again where its order is sent; the second time costs nothing."""


def load_or_create_seed(path: Path) -> bytes:
    """The signing seed in the file `path`, made on first use and readable by its owner only (mode 0600)."""
    if not path.exists():
        _create_seed(path)
    seed = path.read_bytes().strip()
    try:
        nkeys.decode_seed(bytearray(seed))
    except (nkeys.ErrInvalidSeed, nkeys.ErrInvalidPrefixByte, IndexError):
        raise SettingsError(f"{path} holds no NKEY seed; restore it, or remove it to have a new one made") from None
    return seed


def _create_seed(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drafted = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(drafted, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(nkeys.encode_seed(os.urandom(_KEY_BYTES), _USER_PREFIX) + b"\n")
    try:
        os.link(drafted, path)
    except FileExistsError:
        pass
    finally:
        drafted.unlink()


def signer(seed: bytes) -> tuple[str, Sign]:
    """The public key (an NKEY starting with U) that belongs to `seed`, and the function that signs with it."""
    pair = nkeys.from_seed(bytearray(seed))

    def sign(message: bytes) -> str:
        return b64encode(pair.sign(message)).decode("ascii")

    return pair.public_key.decode("ascii"), sign


def verifier(public_key: str, setting: str = "RISK_PUBLIC_KEY") -> Verify:
    """The check of signatures by the holder of `public_key`; SettingsError naming `setting` when it is no NKEY."""
    key = VerifyKey(_raw_public_key(public_key.strip(), setting))

    @lru_cache(maxsize=_REMEMBERED)
    def verify(message: bytes, signature: str) -> bool:
        try:
            key.verify(message, b64decode(signature, validate=True))
        except (BadSignatureError, Base64Error, ValueError):
            return False
        return True

    return verify


def _raw_public_key(public_key: str, setting: str) -> bytes:
    wrong = SettingsError(f"{setting} {public_key!r} is no public NKEY of 56 characters, starting with U")
    try:
        raw = b32decode(public_key)
    except Base64Error:
        raise wrong from None
    if len(raw) != _PUBLIC_BYTES or raw[0] != _USER_PREFIX:
        raise wrong
    if nkeys.crc16(bytearray(raw[:-2])).to_bytes(2, "little") != raw[-2:]:
        raise wrong
    return raw[1:-2]
