"""The copy of the house that is compiled: complete, never older than its sources, and nothing half done."""

from pathlib import Path

import pytest

from deploy.native import GROUPS, ROOT, STAMP, NativeError, compiled_modules, copy, fingerprint, update


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
    (tmp_path / "native" / "shared__mypyc.so").write_bytes(b"machine code")
    (tmp_path / "native" / STAMP).write_text(fingerprint(house))
    return tmp_path / "native"


def machine_code(target: Path) -> list[str]:
    return sorted(path.name for path in target.rglob("*.so"))


def test_the_machine_code_of_unchanged_sources_stays(house: Path, target: Path) -> None:
    update(house, target)
    assert machine_code(target) == ["rule.cpython.so", "shared__mypyc.so"]


def test_a_changed_test_is_copied_and_compiles_nothing_anew(house: Path, target: Path) -> None:
    (house / "tests").mkdir()
    (house / "tests" / "test_rule.py").write_text("")
    update(house, target)
    assert (target / "tests" / "test_rule.py").exists()
    assert machine_code(target) == ["rule.cpython.so", "shared__mypyc.so"]


def test_an_edit_within_the_copy_is_undone(house: Path, target: Path) -> None:
    (target / "shared" / "domain" / "rule.py").write_text("LIMIT = 3\n")
    update(house, target)
    assert (target / "shared" / "domain" / "rule.py").read_text() == "LIMIT = 1\n"


def test_no_machine_code_outlives_its_sources_where_nothing_can_be_compiled(
    house: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    (house / "shared" / "domain" / "rule.py").write_text("LIMIT = 2\n")
    with pytest.raises(NativeError, match="apt-get install gcc"):
        update(house, target)
    assert (target / "shared" / "domain" / "rule.py").read_text() == "LIMIT = 2\n"
    assert machine_code(target) == []
    assert not (target / STAMP).exists()


def test_a_source_that_is_gone_goes_from_the_copy(house: Path, target: Path) -> None:
    (house / "shared" / "domain" / "rule.py").unlink()
    copy(house, target)
    assert not (target / "shared" / "domain" / "rule.py").exists()


def test_where_compiling_fails_half_way_nothing_is_left_of_it(
    house: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(target: Path) -> None:
        (target / "shared" / "domain" / "rule.cpython.so").write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr("deploy.native._compile_in", half)
    (house / "shared" / "domain" / "rule.py").write_text("LIMIT = 2\n")
    with pytest.raises(KeyboardInterrupt):
        update(house, target)
    assert machine_code(target) == []


def test_every_pattern_finds_modules_and_each_module_is_compiled_once() -> None:
    modules = [module for group in compiled_modules(ROOT).values() for module in group]
    assert len(modules) == len(set(modules))
    assert "services/runner/core/decide.py" in modules
    assert "services/risk/core/guard.py" in modules


def test_no_group_compiles_what_another_service_owns() -> None:
    owned = {name: modules for name, modules in compiled_modules(ROOT).items() if name != "shared"}
    assert set(GROUPS) == {"shared", "risk", "runner"}
    assert all(module.startswith(f"services/{name}/") for name, modules in owned.items() for module in modules)
