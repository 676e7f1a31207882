"""The kinds of panel that the dashboards are made of, each dressed the same way everywhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, timeseries, trend
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from deploy.grafana.colours import BLUE
from deploy.grafana.queries import Query, source_of

Steps = tuple[tuple[float | None, str], ...]
"""Colours from a value upwards; the first from None, which is minus infinity."""


@dataclass(frozen=True)
class Face:
    """What every panel says about itself. `width` is of 24 columns, `height` in rows of 30 pixels."""

    title: str
    description: str
    empty: str
    width: int
    height: int = 8
    unit: str = "none"
    decimals: int | None = None


class _Dressable(Protocol):
    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def decimals(self, decimals: float) -> Self: ...
    def datasource(self, datasource: shapes.DataSourceRef) -> Self: ...
    def with_target(self, target: Query) -> Self: ...


_P = TypeVar("_P", bound=_Dressable)


def _dressed(panel: _P, face: Face, queries: Iterable[Query]) -> _P:
    panel.title(face.title).description(face.description).no_value(face.empty)
    panel.span(face.width).height(face.height).unit(face.unit)
    if face.decimals is not None:
        panel.decimals(face.decimals)
    for query in queries:
        panel.datasource(source_of(query)).with_target(query)
    return panel


def words(meanings: Mapping[str, tuple[str, str]]) -> list[ValueMap]:
    """Values shown as words: value -> (word, colour)."""
    return [ValueMap({value: ValueMappingResult(text, colour) for value, (text, colour) in meanings.items()})]


def thresholds(steps: Steps) -> ThresholdsConfig:
    """Absolute thresholds in ascending order."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, colour) for value, colour in steps])


def fixed(colour: str) -> list[DynamicConfigValue]:
    """An override that gives a series one colour."""
    return [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})]


def dashed() -> list[DynamicConfigValue]:
    """An override that tells a series from others without its colour."""
    return [DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})]


def figure(face: Face, *queries: Query, steps: Steps = ((None, BLUE),)) -> stat.Panel:
    """One large figure: the newest value."""
    return (
        _dressed(stat.Panel(), face, queries)
        .thresholds(thresholds(steps))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .color_mode(shapes.BigValueColorMode.VALUE)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def verdict(face: Face, *queries: Query, meanings: Mapping[str, tuple[str, str]]) -> stat.Panel:
    """One word on its colour, for a value that stands for a state."""
    return (
        figure(face, *queries)
        .mappings(list(words(meanings)))
        .color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID)
        .text_mode(shapes.BigValueTextMode.AUTO)
    )


def curve(face: Face, query: Query, x: str) -> trend.Panel:
    """Lines over a column `x` in ascending order, such as market time, whatever the dashboard's time range."""
    return (
        _dressed(trend.Panel(), face, [query])
        .x_field(x)
        .line_width(2)
        .show_points(shapes.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(_tooltip())
        .override_by_name(x, [DynamicConfigValue("unit", "h"), DynamicConfigValue("decimals", 1)])
    )


def bars(face: Face, query: Query, x: str, steps: Steps) -> trend.Panel:
    """A bar a row over a column `x` in ascending order, coloured by its value."""
    return (
        _dressed(trend.Panel(), face, [query])
        .x_field(x)
        .draw_style(shapes.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .thresholds(thresholds(steps))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .legend(common.VizLegendOptions().show_legend(False))
        .tooltip(_tooltip())
        .override_by_name(x, [DynamicConfigValue("unit", "none"), DynamicConfigValue("decimals", 0)])
    )


def history(face: Face, *queries: Query, colours: Mapping[str, str]) -> timeseries.Panel:
    """Lines over the clock on the wall; `colours` by the series' legends."""
    panel = (
        _dressed(timeseries.Panel(), face, queries)
        .line_width(2)
        .fill_opacity(10)
        .show_points(shapes.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(_tooltip())
    )
    for name, colour in colours.items():
        panel.override_by_name(name, fixed(colour))
    return panel


def states(face: Face, *queries: Query, meanings: Mapping[str, tuple[str, str]]) -> statetimeline.Panel:
    """A band a series over the clock on the wall, coloured and labelled by state."""
    return (
        _dressed(statetimeline.Panel(), face, queries)
        .mappings(list(words(meanings)))
        .show_value(shapes.VisibilityMode.AUTO)
        .legend(common.VizLegendOptions().show_legend(False))
    )


def ranking(face: Face, *queries: Query, colour: str) -> bargauge.Panel:
    """A horizontal bar a series: length tells, colour doesn't."""
    return (
        _dressed(bargauge.Panel(), face, queries)
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .display_mode(shapes.BarGaugeDisplayMode.BASIC)
        .thresholds(thresholds(((None, colour),)))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .min(0)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def rows(face: Face, query: Query, units: Mapping[str, str]) -> table.Panel:
    """A table; `units` by column name."""
    panel = _dressed(table.Panel(), face, [query]).cell_height(shapes.TableCellHeight.SM)
    for column, unit in units.items():
        panel.override_by_name(column, [DynamicConfigValue("unit", unit)])
    return panel


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.NONE)
