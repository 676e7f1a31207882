"""Generated documents: complete, consistent with each other, and their staleness is found."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.schemas.catalogue import BY_NAME
from shared.schemas.documents.asyncapi import asyncapi
from shared.schemas.documents.event_table import event_table, with_table
from shared.schemas.documents.json_schema import earlier_files, file_name
from shared.schemas.documents.yaml_text import to_yaml
from shared.schemas.generate import ARCHITECTURE, ASYNCAPI, ROOT, SCHEMAS, main


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pristine")
    (root / ARCHITECTURE).parent.mkdir()
    (root / ARCHITECTURE).write_text(
        "# Ours\n\n<!-- events -->\n<!-- /events -->\n\nand this stays\n", encoding="utf-8"
    )
    assert main([], root) == 0
    return root


@pytest.fixture
def root(pristine: Path, tmp_path: Path) -> Path:
    shutil.copytree(pristine, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_what_is_in_the_project_is_up_to_date() -> None:
    assert main(["--check"], ROOT) == 0


def test_writing_makes_everything_up_to_date_and_leaves_the_rest_of_the_page_alone(root: Path) -> None:
    page = (root / ARCHITECTURE).read_text(encoding="utf-8")
    assert page.startswith("# Ours\n\n<!-- events -->\n| type |")
    assert page.endswith("<!-- /events -->\n\nand this stays\n")
    assert {path.name for path in (root / SCHEMAS).iterdir()} == {
        file_name(name) for name in (*BY_NAME, "session", "request")
    }


@pytest.mark.parametrize(
    "path", [ASYNCAPI, ARCHITECTURE, SCHEMAS / "order_filled.v1.json", SCHEMAS / "session.v1.json"]
)
def test_what_is_stale_is_named_and_mended(root: Path, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (root / path).read_text(encoding="utf-8")
    (root / path).write_text(
        text.replace("order_filled", "order_felt").replace("description", "descr"), encoding="utf-8"
    )
    assert main(["--check"], root) == 1
    assert f"stale: {path};" in capsys.readouterr().err
    assert main([], root) == 0
    assert (root / path).read_text(encoding="utf-8") == text


def test_what_is_missing_or_left_over_is_named_and_mended(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / SCHEMAS / "error.v1.json").unlink()
    (root / SCHEMAS / "order_dreamt.v1.json").write_text("{}")
    assert main(["--check"], root) == 1
    told = capsys.readouterr().err
    assert "error.v1.json" in told
    assert "order_dreamt.v1.json" in told
    assert main([], root) == 0
    assert not (root / SCHEMAS / "order_dreamt.v1.json").exists()


def test_the_schema_of_an_earlier_version_stays_as_it_was(root: Path) -> None:
    earlier = next(earlier_files())
    (root / SCHEMAS / earlier).write_text("{}")
    assert main(["--check"], root) == 0
    assert main([], root) == 0
    assert (root / SCHEMAS / earlier).read_text() == "{}"
    assert all((ROOT / SCHEMAS / name).exists() for name in earlier_files())


def test_a_page_without_markers_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="put <!-- events --> and <!-- /events -->"):
        with_table("# a page\n<!-- events -->\n")


def test_the_table_has_a_row_for_every_type() -> None:
    rows = event_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(BY_NAME)
    assert all(row.count("|") == 5 and "|  |" not in row for row in rows)


def _references(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _references(value)


def _leads_somewhere(document: Any, reference: str) -> bool:
    if not reference.startswith("#/"):
        return (ROOT / "docs" / reference).is_file()
    for key in reference[2:].split("/"):
        document = document.get(key, {})
    return bool(document)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    references = list(_references(document))
    assert len(references) > len(BY_NAME)
    assert [reference for reference in references if not _leads_somewhere(document, reference)] == []


def test_every_fact_has_someone_who_tells_it_and_someone_who_reads_it() -> None:
    operations = asyncapi()["operations"]
    for action in ("send", "receive"):
        on_events = [op for op in operations.values() if op["action"] == action]
        told = {message["$ref"].rsplit("/", 1)[1] for operation in on_events for message in operation["messages"]}
        assert set(BY_NAME) <= told


def test_yaml_is_written_in_block_style_and_quotes_what_could_be_misread() -> None:
    document = {
        "a": {"b": ["c", {"d": 1, "e": ["f"]}, []], "on": True},
        "$ref": "#/x",
        "no": "yes",
        "g": 'say "hi": now',
        "h": {},
        "i": "3.0.0",
        "j": None,
    }
    assert to_yaml(document) == (
        'a:\n  b:\n    - c\n    - d: 1\n      e:\n        - f\n    - []\n  "on": true\n'
        '"$ref": "#/x"\n"no": "yes"\ng: "say \\"hi\\": now"\nh: {}\ni: "3.0.0"\nj: null\n'
    )
