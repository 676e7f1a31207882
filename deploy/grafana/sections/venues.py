"""How the venues answer: how fast, with which trouble, and how much may still be asked of them."""

from deploy.grafana.colours import BAD, BLUE, GOOD, GREEN, ORANGE, PURPLE, SKY, VERMILLION
from deploy.grafana.panels import Face, history, ranking, states
from deploy.grafana.queries import over_time, right_now
from deploy.grafana.sections.wording import Panels

FATES = {"retry": ORANGE, "refused": BLUE, "unknown": VERMILLION, "absent": SKY, "fatal": PURPLE}
VENUES = {"binance": BLUE, "alpaca": GREEN}


def venues() -> Panels:
    """How the venues answer: how fast, with which trouble, and how much may still be asked of them."""
    return [*_calls(), *_trouble(), *_limits()]


def _calls() -> Panels:
    return [
        history(
            Face(
                "Time of a call to a venue",
                "How long calls to venues take from request to answer, failed ones included.",
                "No call in this time",
                width=8,
                unit="s",
            ),
            over_time(_call_quantile(0.5), "Median"),
            over_time(_call_quantile(0.99), "99 of 100", ref="B"),
            colours={"Median": BLUE, "99 of 100": ORANGE},
        ),
        ranking(
            Face(
                "Slowest kinds of call",
                "How long 95 of 100 calls of a kind take at most, in the last five minutes.",
                "No call in five minutes",
                width=8,
                unit="s",
            ),
            right_now(
                "sort_desc(histogram_quantile(0.95, "
                "sum by (venue, call, le) (rate(leitstand_venue_call_seconds_bucket[5m]))) >= 0)",
                "{{venue}} {{call}}",
            ),
            colour=BLUE,
        ),
        states(
            Face("Streams of venues", "Whether each stream of a venue is there.", "No live session", width=8),
            over_time("leitstand_venue_stream_up", "{{venue}} {{stream}}"),
            meanings={"1": ("Up", GOOD), "0": ("Lost", BAD)},
        ),
    ]


def _trouble() -> Panels:
    return [
        history(
            Face(
                "Calls that fail",
                "Share of calls to venues that failed, by what they left behind: retry and refused did nothing, "
                "unknown may have been carried out, absent found nothing, fatal needs a person.",
                "No call has failed",
                width=8,
                unit="percentunit",
            ),
            over_time(
                "sum by (fate) (rate(leitstand_venue_call_errors_total[$__rate_interval])) "
                "/ on () group_left () sum(rate(leitstand_venue_call_seconds_count[$__rate_interval]))",
                "{{fate}}",
            ),
            colours=FATES,
        ),
        history(
            Face(
                "Calls made again",
                "Further attempts at calls a minute, by what the failed attempt left behind.",
                "No call was made again",
                width=8,
                unit="none",
            ),
            over_time("60 * sum by (fate) (rate(leitstand_venue_retries_total[$__rate_interval]))", "{{fate}}"),
            colours=FATES,
        ),
    ]


def _limits() -> Panels:
    return [
        history(
            Face(
                "Weight of requests",
                "Share of the minute's weight that is spent; the last tenth is kept for cancels and exits. "
                "The rest is what may still be asked.",
                "No venue tells its limit",
                width=8,
                unit="percentunit",
            ),
            over_time("leitstand_venue_weight_used / leitstand_venue_weight_limit", "{{venue}}"),
            colours=VENUES,
        ),
    ]


def _call_quantile(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate(leitstand_venue_call_seconds_bucket[$__rate_interval])))"
