import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from shared.domain.portfolio import RoundTrip
from shared.domain.report import Halted, Notes, gather, render
from shared.domain.report.curves import drawdowns
from shared.domain.report.distribution import bins
from shared.domain.report.figures import headline, profit_factor
from shared.domain.report.heatmap import cells
from shared.domain.report.markup import grouped, length, percentage, trimmed
from shared.domain.report.scales import round_steps, thinned, time_steps
from tests.recorder_story import Story

MONDAY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
VOID = {"meta"}


def trip(pnl: str, closed_at: datetime = MONDAY) -> RoundTrip:
    return RoundTrip(
        strategy="ema", symbol="BTCUSDT", qty=Decimal(1), entry_price=Decimal(100),
        exit_price=Decimal(100) + Decimal(pnl), opened_at=closed_at - timedelta(minutes=5), closed_at=closed_at,
        fees=Decimal("0.1"), pnl=Decimal(pnl), return_ratio=Decimal(pnl) / 100,
    )  # fmt: skip


class Nesting(HTMLParser):
    """Notes tags that are closed in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A drawing's element that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def page(bars: int, shadow: str | None = None) -> str:
    material = gather(Story(shadow=shadow).whole(bars))
    return render(material.document, material.trades, material.equity, material.notes, material.shadow)


@pytest.mark.parametrize("shadow", [None, "bollinger"])
@pytest.mark.parametrize("bars", [0, 1, 2, 8, 200])
def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(bars: int, shadow: str | None) -> None:
    html = page(bars, shadow)
    nesting = Nesting()
    nesting.feed(html)
    assert (nesting.wrong, nesting.open) == ([], [])
    assert not re.search(r"(src|href)=|url\(|@import|<script|https?://", html)


def test_the_same_session_gives_the_same_page() -> None:
    assert page(40) == page(40)


def test_a_shadow_is_a_second_curve_told_apart_without_colour_and_a_column_of_figures() -> None:
    html = page(40, "bollinger")
    assert html.count('<path class="shadow"') == 1
    assert "stroke-dasharray" in html
    assert "shadow 10,007.00</span>" in html
    assert "the one of dashes and dots what the shadow would have" in html
    assert "<td>Strategies</td><td class=n>ema_crossover</td><td class=n>bollinger</td>" in html
    assert '<span class="gain">+7.00</span>' in html


def test_a_session_without_a_shadow_does_not_speak_of_one() -> None:
    assert "hadow" not in page(40).replace("path.shadow", "").replace("span.shadow", "")


def test_a_session_without_trades_says_so() -> None:
    html = page(1)
    assert "No round trip was completed" in html
    assert "there is no curve to draw" in html
    assert "The guard refused no order." in html


def test_text_from_facts_cannot_break_out_of_the_page() -> None:
    material = gather(Story().whole(20))
    evil = "<script>alert(1)</script>"
    notes = Notes({evil: 1}, (Halted(MONDAY, "kill", evil, evil),))
    html = render({**material.document, "name": evil, "strategies": [evil]}, material.trades, material.equity, notes)
    assert "<script" not in html


def test_refusals_and_stops_are_listed() -> None:
    html = page(40)
    assert "<td>max_position_size</td>" in html
    assert "lunch (ann)" in html


def test_only_the_first_and_last_trades_are_shown() -> None:
    material = gather(Story().whole(5))
    html = render(material.document, [trip("1")] * 1000, material.equity)
    assert "600 more in trades.csv" in html
    assert "<td>200</td>" in html
    assert "<td>201</td>" not in html
    assert "<td>801</td>" in html


def test_headline_figures_follow_from_the_trades() -> None:
    material = gather(Story().whole(5))
    shown = {figure.label: figure.value for figure in headline(material.document, [trip("3"), trip("-1"), trip("-2")])}
    assert (shown["Trades"], shown["Win rate"], shown["Profit factor"]) == ("3", "33.3\u202f%", "1.00")
    assert shown["Average trade"] == "+0.00"


def test_profit_factor_needs_a_loss() -> None:
    assert profit_factor([trip("3"), trip("-2")]) == Decimal("1.5")
    assert profit_factor([trip("3")]) is None


def test_drawdown_is_measured_from_the_peak_so_far() -> None:
    assert drawdowns([(0, 90.0), (1, 200.0), (2, 100.0)], 100.0) == [(0, pytest.approx(-0.1)), (1, 0.0), (2, -0.5)]


def test_a_trade_that_gained_nothing_is_no_win_in_the_distribution() -> None:
    width, counts = bins([0.0, 0.5, -0.5, width_edge := 1.0])
    assert width_edge / width == pytest.approx(round(width_edge / width))
    assert counts[-1] == 1
    assert sum(count for place, count in counts.items() if place >= 0) == 2


def test_the_heat_map_goes_by_the_hour_of_closing() -> None:
    found = cells([trip("3"), trip("-1"), trip("5", MONDAY + timedelta(days=6, hours=1))])
    assert found == {(0, 9): (Decimal(2), 2), (6, 10): (Decimal(5), 1)}


def test_a_thinned_line_keeps_its_extremes_and_ends() -> None:
    line = [(float(at), float((at * 7919) % 1000)) for at in range(50_000)]
    thin = thinned(line, 100)
    assert len(thin) <= 400
    assert (thin[0], thin[-1]) == (line[0], line[-1])
    assert {min(line, key=lambda s: s[1])[1], max(line, key=lambda s: s[1])[1]} <= {value for _, value in thin}
    assert thin == sorted(thin)


def test_a_short_line_is_drawn_whole() -> None:
    line = [(0.0, 1.0), (1.0, 2.0)]
    assert thinned(line, 100) == line


@pytest.mark.parametrize("span", [30, 600, 5_400, 86_400, 7 * 86_400, 60 * 86_400, 400 * 86_400, 9 * 365 * 86_400])
def test_time_labels_are_few_and_within_the_span(span: int) -> None:
    start = MONDAY.timestamp()
    steps = time_steps(start, start + span)
    assert 1 <= len(steps) <= 12
    assert all(start <= at <= start + span for at, _ in steps)


def test_value_labels_are_round_and_within_the_range() -> None:
    assert round_steps(9_862.4, 10_003.1) == [9_900, 9_950, 10_000]
    assert round_steps(5.0, 5.0) == [5.0]


def test_numbers_are_told_for_people() -> None:
    assert grouped(Decimal("-1234567.891"), 2) == "\u22121,234,567.89"
    assert percentage(Decimal("0.0123"), signed=True) == "+1.23\u202f%"
    assert trimmed(Decimal("0.10000000")) == "0.1"
    assert length(timedelta(days=1, hours=2, minutes=3)) == "1\u202fd 2\u202fh"
    assert length(timedelta(0)) == "0\u202fs"
