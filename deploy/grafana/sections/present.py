"""The figures of this moment, from the gauges."""

from deploy.grafana import read_model
from deploy.grafana.colours import BAD, BLUE, GOOD, NEUTRAL, NOTICE
from deploy.grafana.panels import Face, figure, verdict
from deploy.grafana.queries import Sql, right_now
from deploy.grafana.sections.wording import GAIN_OR_LOSS, NO_SESSION, OF_SESSION, Panels


def now() -> Panels:
    """The figures of this moment, from the gauges."""
    return [*_states_now(), *_money_now(), *_trades_now()]


def _states_now() -> Panels:
    return [
        verdict(
            Face("Session", "Whether the chosen session is running.", NO_SESSION, width=3, height=4),
            right_now(f"leitstand_session_running{OF_SESSION}"),
            meanings={"1": ("Running", GOOD), "0": ("Over", NEUTRAL)},
        ),
        verdict(
            Face(
                "New risk",
                "Whether the guard approves orders that open positions, or has halted trading.",
                "The guard is silent",
                width=3,
                height=4,
            ),
            right_now("max(leitstand_trading_halted)"),
            meanings={"0": ("Allowed", GOOD), "1": ("Halted", BAD)},
        ),
    ]


def _money_now() -> Panels:
    return [
        figure(
            Face(
                "Equity",
                "Cash and open positions at the last close, in the quote currency.",
                NO_SESSION,
                width=3,
                height=4,
                unit="locale",
                decimals=2,
            ),
            right_now(f"leitstand_equity{OF_SESSION}"),
        ),
        figure(
            Face(
                "P&L",
                "Equity less the initial capital: realised and unrealised, net of fees, in the quote currency.",
                NO_SESSION,
                width=3,
                height=4,
                unit="locale",
                decimals=2,
            ),
            right_now(f"leitstand_pnl{OF_SESSION}"),
            steps=GAIN_OR_LOSS,
        ),
        figure(
            Face(
                "Drawdown",
                "How far equity is below its peak.",
                NO_SESSION,
                width=3,
                height=4,
                unit="percentunit",
                decimals=2,
            ),
            right_now(f"leitstand_drawdown_ratio{OF_SESSION}"),
            steps=((None, BLUE), (0.05, NOTICE), (0.1, BAD)),
        ),
        figure(
            Face(
                "Open exposure",
                "The value of all open positions at the last close, in the quote currency.",
                NO_SESSION,
                width=3,
                height=4,
                unit="locale",
                decimals=2,
            ),
            right_now(f"leitstand_exposure{OF_SESSION}"),
        ),
    ]


def _trades_now() -> Panels:
    return [
        figure(
            Face("Trades", "Round trips from flat to flat.", NO_SESSION, width=2, height=4, decimals=0),
            Sql(read_model.TRADES_CLOSED),
        ),
        figure(
            Face(
                "Won",
                "Share of the round trips that made money after fees.",
                "No trade yet",
                width=2,
                height=4,
                unit="percentunit",
                decimals=0,
            ),
            Sql(read_model.TRADES_WON),
        ),
        figure(
            Face(
                "Fees",
                "All fees paid, in the quote currency.",
                NO_SESSION,
                width=2,
                height=4,
                unit="locale",
                decimals=2,
            ),
            Sql(read_model.FEES),
        ),
    ]
