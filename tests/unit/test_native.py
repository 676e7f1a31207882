"""The copy of the house that is compiled: complete, never older than its sources, and nothing half done."""

from pathlib import Path

import pytest

from deploy.native import (
    GROUPS,
    ROOT,
    STAMP,
    NativeError,
    compile_in,
    compiled_modules,
    copy,
    fingerprint,
    is_current,
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    root = tmp_path / "house"
    (root / "shared" / "domain").mkdir(parents=True)
    (root / "shared" / "domain" / "rule.py").write_text("LIMIT = 1\n")
    (root / "pyproject.toml").write_text("[project]\n")
    return root


@pytest.fixture
def target(tmp_path: Path, house: Path) -> Path:
    copy(house, tmp_path / "native")
    (tmp_path / "native" / "shared" / "domain" / "rule.cpython.so").write_bytes(b"machine code")
    (tmp_path / "native" / STAMP).write_text(fingerprint(tmp_path / "native"))
    return tmp_path / "native"


def test_the_copy_of_unchanged_sources_is_current(house: Path, target: Path) -> None:
    copy(house, target)
    assert is_current(target)
    assert (target / "shared" / "domain" / "rule.cpython.so").exists()


def test_a_changed_source_makes_it_stale(house: Path, target: Path) -> None:
    (house / "shared" / "domain" / "rule.py").write_text("LIMIT = 2\n")
    copy(house, target)
    assert (target / "shared" / "domain" / "rule.py").read_text() == "LIMIT = 2\n"
    assert not is_current(target)


def test_a_source_that_is_gone_goes_from_the_copy_and_makes_it_stale(house: Path, target: Path) -> None:
    (house / "shared" / "domain" / "rule.py").unlink()
    copy(house, target)
    assert not (target / "shared" / "domain" / "rule.py").exists()
    assert not is_current(target)


def test_a_changed_test_is_copied_and_compiles_nothing_anew(house: Path, target: Path) -> None:
    (house / "tests").mkdir()
    (house / "tests" / "test_rule.py").write_text("")
    copy(house, target)
    assert (target / "tests" / "test_rule.py").exists()
    assert is_current(target)


def test_an_edit_within_the_copy_itself_makes_it_stale(target: Path) -> None:
    (target / "shared" / "domain" / "rule.py").write_text("LIMIT = 3\n")
    assert not is_current(target)


def test_without_a_compiler_it_says_what_to_install(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NativeError, match="apt-get install gcc"):
        compile_in(target)


def test_where_compiling_fails_nothing_is_left_that_looks_compiled(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.native._require_compiler", lambda: None)
    with pytest.raises(NativeError, match="mypyc gave up"):
        compile_in(target)
    assert not is_current(target)
    assert list(target.rglob("*.so")) == []


def test_every_pattern_finds_modules_and_each_module_is_compiled_once() -> None:
    modules = [module for group in compiled_modules(ROOT).values() for module in group]
    assert len(modules) == len(set(modules))
    assert "services/runner/core/decide.py" in modules
    assert "services/risk/core/guard.py" in modules


def test_no_group_compiles_what_another_service_owns() -> None:
    owned = {name: modules for name, modules in compiled_modules(ROOT).items() if name != "shared"}
    assert set(GROUPS) == {"shared", "risk", "runner"}
    assert all(module.startswith(f"services/{name}/") for name, modules in owned.items() for module in modules)
