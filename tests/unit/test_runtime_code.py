"""The fingerprint of code tells every change of it, and nothing else."""

import sys
from importlib import invalidate_caches
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from services.runner.deciding import DECIDING, core_digest
from shared.runtime.code import code_digest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    folder = tmp_path / f"package_of_{tmp_path.name}"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/__init__.py", "inner/rule.py"):
        (folder / name).write_text("LIMIT = 1\n")
    return folder


def digest_of(package: Path) -> str:
    return code_digest.__wrapped__(package.name)


def test_a_change_anywhere_within_a_package_is_told(package: Path) -> None:
    before = digest_of(package)
    (package / "inner" / "rule.py").write_text("LIMIT = 2\n")
    assert digest_of(package) != before


def test_a_module_that_moved_is_told(package: Path) -> None:
    before = digest_of(package)
    (package / "inner" / "rule.py").rename(package / "inner" / "limit.py")
    assert digest_of(package) != before


def test_what_is_no_source_does_not_count(package: Path) -> None:
    before = digest_of(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "rule.pyc").write_bytes(b"\x00")
    assert digest_of(package) == before


def test_a_module_that_is_compiled_is_known_by_its_source(package: Path) -> None:
    digest = code_digest.__wrapped__
    name = f"{package.name}.inner.rule"
    before = digest(name)
    (package / "inner" / f"rule{EXTENSION_SUFFIXES[0]}").write_bytes(b"machine code")
    invalidate_caches()
    assert digest(name) == before
    (package / "inner" / "rule.py").write_text("LIMIT = 2\n")
    assert digest(name) != before


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"services\.nowhere"):
        code_digest("services.nowhere")


def test_the_code_that_decides_in_a_session_has_a_fingerprint() -> None:
    assert len(core_digest()) == 64
    assert "services.runner.core" in DECIDING
