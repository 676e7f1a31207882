"""The dashboards as files: current, complete, legible, and asking only for what the code declares."""

import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from deploy.grafana import colours, dashboards

ROOT = Path(__file__).parents[2]
ALERTS = (ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8")
DATASOURCES = (ROOT / "deploy/grafana/provisioning/datasources/leitstand.yml").read_text(encoding="utf-8")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
PALETTE = {value for name, value in vars(colours).items() if name.isupper()}

Panel = dict[str, Any]


@cache
def _dashboards() -> dict[str, Any]:
    return {name: json.loads(text) for name, text in dashboards.rendered().items()}


def _panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{name}:{panel['title']}")
        for name, tree in _dashboards().items()
        for panel in tree["panels"]
        if panel["type"] != "row"
    ]


def _queries(panel: Panel, key: str) -> list[str]:
    return [target[key] for target in panel["targets"] if key in target]


def _names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bleitstand_\w+", expression))


@cache
def _declared() -> set[str]:
    for path in [*ROOT.glob("services/*/*.py"), *ROOT.glob("shared/runtime/*.py"), *ROOT.glob("shared/venues/*.py")]:
        if "prometheus_client import" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return {
        family.name + suffix
        for family in REGISTRY.collect()
        for suffix in SUFFIXES.get(family.type, ("",))
        if family.name.startswith("leitstand_")
    }


def _walk(tree: Any) -> Iterator[Any]:
    yield tree
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for child in children:
        yield from _walk(child)


def test_the_dashboard_files_are_current() -> None:
    assert dashboards.outdated(dashboards.FOLDER, dashboards.rendered()) == []


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert dashboards.rendered() == dashboards.rendered()


def test_a_stale_a_missing_and_a_foreign_file_are_told_and_put_right(tmp_path: Path) -> None:
    (tmp_path / "stale.json").write_text("{}")
    (tmp_path / "foreign.json").write_text("{}")
    wanted = {"stale.json": '{"title": 1}', "missing.json": "{}"}
    assert dashboards.outdated(tmp_path, wanted) == ["foreign.json", "missing.json", "stale.json"]
    dashboards.write(tmp_path, wanted)
    assert dashboards.outdated(tmp_path, wanted) == []


@pytest.mark.parametrize("panel", _panels())
def test_a_panel_says_what_it_shows_in_which_unit_and_what_its_emptiness_means(panel: Panel) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert defaults["noValue"]
    assert panel["targets"]


@pytest.mark.parametrize("panel", _panels())
def test_a_panel_asks_only_for_metrics_that_the_code_declares(panel: Panel) -> None:
    wanted = {name for expression in _queries(panel, "expr") for name in _names_in(expression)}
    assert wanted <= _declared()


def test_the_alert_rules_ask_only_for_metrics_that_the_code_declares() -> None:
    expressions = re.findall(r"^ +expr: (.+)$", ALERTS, re.M)
    assert len(expressions) == ALERTS.count("- alert:")
    assert {name for expression in expressions for name in _names_in(expression)} <= _declared()


def test_each_alert_has_a_severity_and_says_what_it_means_and_what_to_do() -> None:
    for rule in ALERTS.split("- alert:")[1:]:
        assert re.search(r"severity: (warning|critical)", rule)
        assert re.search(r"summary: \S", rule)
        assert re.search(r"description: \S", rule)


@pytest.mark.parametrize("panel", _panels())
def test_a_panel_and_its_queries_name_data_sources_that_are_provisioned(panel: Panel) -> None:
    provisioned = set(re.findall(r"uid: (\S+)", DATASOURCES))
    asked = {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])}
    assert asked <= provisioned


@pytest.mark.parametrize("name", sorted(dashboards.rendered()))
def test_panels_lie_side_by_side_on_the_grid_and_none_covers_another(name: str) -> None:
    places = [panel["gridPos"] for panel in _dashboards()[name]["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    assert not [(one, other) for one, other in combinations(places, 2) if _overlap(one, other)]


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or apart)


@pytest.mark.parametrize("name", sorted(dashboards.rendered()))
def test_every_colour_is_of_the_palette_for_all_eyes(name: str) -> None:
    text = dashboards.rendered()[name]
    assert set(re.findall(r"#[0-9A-Fa-f]{6}", text)) <= PALETTE
    modes = {node["mode"] for node in _walk(json.loads(text)) if isinstance(node, dict) and "fixedColor" in node}
    assert modes == {"fixed"}


@pytest.mark.parametrize("panel", _panels())
def test_every_line_of_a_curve_has_a_colour_of_its_own(panel: Panel) -> None:
    if panel["type"] not in ("timeseries", "trend") or panel["fieldConfig"]["defaults"].get("color"):
        return
    coloured = [
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        if any(change["id"] == "color" for change in override["properties"])
    ]
    assert len(set(coloured)) == len(coloured) > 0


def test_the_session_is_chosen_by_its_name() -> None:
    variables = {entry["name"]: entry for entry in _dashboards()["trading.json"]["templating"]["list"]}
    assert "SELECT name FROM sessions" in variables["session"]["query"]
