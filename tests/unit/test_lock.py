from pathlib import Path

import pytest

from deploy.lock import ROOT, Groups, digest_of, header_of, read_groups, requirements_of, stale

GROUPS: Groups = {"runtime": ["nats-py"], "risk": [{"include-group": "runtime"}, "pyotp"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\nruntime = ["nats-py"]\n')
    (tmp_path / "requirements" / "runtime.txt").write_text(header_of(GROUPS, "runtime"))
    return tmp_path


def test_a_group_asks_for_what_it_includes() -> None:
    assert list(requirements_of(GROUPS, "risk")) == ["nats-py", "pyotp"]


def test_the_digest_changes_with_what_is_included() -> None:
    assert digest_of(GROUPS, "risk") != digest_of({**GROUPS, "runtime": ["nats-py>=3"]}, "risk")


def test_a_compiled_lock_is_up_to_date(project: Path) -> None:
    assert stale(project) == []


def test_a_changed_requirement_makes_its_file_stale(project: Path) -> None:
    (project / "pyproject.toml").write_text('[dependency-groups]\nruntime = ["nats-py>=3"]\n')
    assert len(stale(project)) == 1


def test_missing_and_orphaned_files_are_told(project: Path) -> None:
    (project / "requirements" / "runtime.txt").rename(project / "requirements" / "other.txt")
    assert len(stale(project)) == 2


def test_every_requirement_is_pinned_by_hash_and_names_no_index() -> None:
    for group in read_groups(ROOT):
        lines = (ROOT / "requirements" / f"{group}.txt").read_text().splitlines()
        pins = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
        assert not [line for line in lines if "://" in line or "index-url" in line]
