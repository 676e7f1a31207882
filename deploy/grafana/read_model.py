"""SQL over the read model (deploy/postgres), always of the newest run of the session chosen by name.

Curves go by the market's clock: their first column is the hours since the session's start on that clock, so that a
simulated or replayed session shows whole, whatever time range the dashboard shows.
"""

X = "Market hours"
POINTS = 1000
"""At most so many points a curve: each stands for a stretch of bars of equal length."""

SESSION_NAMES = "SELECT name FROM sessions GROUP BY name ORDER BY max(started_at) DESC"

_RUN = """
WITH run AS (
    SELECT session_id, market_start, initial_capital
    FROM sessions WHERE name = ${session:sqlstring} ORDER BY started_at DESC LIMIT 1
)"""

_STRETCHES = f"""{_RUN}, stretches AS (
    SELECT equity.*, run.initial_capital,
           extract(epoch FROM equity.market_time - run.market_start) / 3600 AS hours,
           ntile({POINTS}) OVER (ORDER BY equity.sequence) AS stretch
    FROM equity JOIN run USING (session_id)
)"""

EQUITY = f"""{_STRETCHES}, newest AS (
    SELECT DISTINCT ON (stretch) * FROM stretches ORDER BY stretch, sequence DESC
)
SELECT hours::float8 AS "{X}", newest.equity::float8 AS "Equity", shadow_equity.equity::float8 AS "Shadow",
       initial_capital::float8 AS "Initial capital"
FROM newest LEFT JOIN shadow_equity USING (session_id, market_time) ORDER BY newest.sequence
"""

DRAWDOWN = f"""{_STRETCHES}
SELECT max(hours)::float8 AS "{X}", -max(drawdown)::float8 AS "Drawdown"
FROM stretches GROUP BY stretch ORDER BY stretch
"""

EXPOSURE = f"""{_STRETCHES}
SELECT max(hours)::float8 AS "{X}", max(exposure)::float8 AS "Open exposure"
FROM stretches GROUP BY stretch ORDER BY stretch
"""

_FIGURES = f"""{_RUN}
SELECT {{figure}} FROM sessions JOIN run USING (session_id)
"""
TRADES_CLOSED = _FIGURES.replace("{figure}", 'trades AS "Trades"')
TRADES_WON = _FIGURES.replace("{figure}", 'wins::float8 / nullif(trades, 0) AS "Won"')
FEES = _FIGURES.replace("{figure}", 'fees::float8 AS "Fees"')

TRADE_RESULTS = f"""{_RUN}, newest AS (
    SELECT trades.sequence, trades.pnl, row_number() OVER (ORDER BY trades.sequence) AS number
    FROM trades JOIN run USING (session_id)
)
SELECT number::float8 AS "Trade", pnl::float8 AS "P&L"
FROM (SELECT * FROM newest ORDER BY number DESC LIMIT 200) AS shown ORDER BY number
"""

TRADES = f"""{_RUN}
SELECT closed_at AS "Closed (market)", symbol AS "Symbol", strategy AS "Strategy",
       qty::float8 AS "Quantity", entry_price::float8 AS "Entry", exit_price::float8 AS "Exit",
       pnl::float8 AS "P&L", return_ratio::float8 AS "Return", fees::float8 AS "Fees"
FROM trades JOIN run USING (session_id) ORDER BY sequence DESC LIMIT 50
"""

ORDERS = f"""{_RUN}
SELECT orders.market_time AS "Last word (market)", symbol AS "Symbol", side AS "Side", type AS "Type",
       qty::float8 AS "Quantity", status AS "Status", rule AS "Refused by rule", reason AS "Reason"
FROM orders JOIN run USING (session_id) ORDER BY orders.sequence DESC LIMIT 50
"""

SESSIONS = """
SELECT started_at AS "Started", name AS "Session", mode AS "Mode", status AS "Status", market_time AS "Market time",
       equity::float8 AS "Equity", quote AS "Quote", (roi / 100)::float8 AS "Return",
       (max_drawdown / 100)::float8 AS "Max drawdown", trades AS "Trades", wins AS "Wins", losses AS "Losses"
FROM sessions ORDER BY started_at DESC LIMIT 50
"""
