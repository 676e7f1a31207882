-- The read model of Leitstand: rows for views, folded from the stream EVENTS by the recorder.
-- Money, prices and quantities are exact numerics in the quote currency or in units of the base asset.
-- "timestamp" is the wall clock, market_time the market's clock; sequence is the fact's number in the stream.

CREATE TABLE recorder_position (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    sequence  bigint  NOT NULL
);
COMMENT ON TABLE recorder_position IS 'Everything in the stream up to and with this sequence is in the tables.';
INSERT INTO recorder_position (sequence) VALUES (0);

CREATE TABLE sessions (
    session_id       uuid PRIMARY KEY,
    name             text NOT NULL,
    status           text NOT NULL,
    mode             text NOT NULL,
    venue            text NOT NULL,
    quote            text NOT NULL,
    timeframe        text NOT NULL,
    symbols          text[] NOT NULL,
    strategies       text[] NOT NULL,
    started_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    market_start     timestamptz NOT NULL,
    market_time      timestamptz NOT NULL,
    last_updated     timestamptz NOT NULL,
    phases_completed integer NOT NULL,
    initial_capital  numeric NOT NULL,
    equity           numeric NOT NULL,
    exposure         numeric NOT NULL,
    fees             numeric NOT NULL,
    roi              numeric NOT NULL,
    drawdown         numeric NOT NULL,
    max_drawdown     numeric NOT NULL,
    trades           bigint NOT NULL,
    wins             bigint NOT NULL,
    losses           bigint NOT NULL,
    config           jsonb NOT NULL
);
COMMENT ON COLUMN sessions.roi IS 'Return on the initial capital in per cent, as in summary.json.';
COMMENT ON COLUMN sessions.drawdown IS 'Present drawdown from the peak of equity in per cent.';
COMMENT ON COLUMN sessions.max_drawdown IS 'Largest drawdown from the peak of equity in per cent, as in summary.json.';
CREATE INDEX sessions_started_at ON sessions (started_at DESC);

CREATE TABLE events (
    sequence       bigint PRIMARY KEY,
    session_id     uuid NOT NULL,
    id             uuid NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id   uuid NOT NULL,
    "timestamp"    timestamptz NOT NULL,
    market_time    timestamptz NOT NULL,
    service        text NOT NULL,
    type           text NOT NULL,
    phase          text,
    level          text NOT NULL,
    message        text,
    status         text,
    payload        jsonb NOT NULL
);
COMMENT ON COLUMN events.payload IS 'The whole fact. NUL characters, which PostgreSQL cannot hold, appear as U+FFFD.';
CREATE INDEX events_session_type ON events (session_id, type, sequence);
CREATE INDEX events_timestamp ON events USING brin ("timestamp");
CREATE INDEX events_trouble ON events ("timestamp") WHERE level IN ('warning', 'error');

CREATE TABLE orders (
    session_id      uuid NOT NULL,
    client_order_id text NOT NULL,
    sequence        bigint NOT NULL,
    strategy        text NOT NULL,
    symbol          text NOT NULL,
    side            text NOT NULL,
    type            text,
    time_in_force   text,
    purpose         text,
    reduce_only     boolean,
    qty             numeric NOT NULL,
    price           numeric,
    stop_price      numeric,
    reference_price numeric,
    status          text NOT NULL,
    rule            text,
    reason          text,
    filled_qty      numeric NOT NULL,
    filled_value    numeric NOT NULL,
    fees            numeric NOT NULL,
    venue_order_id  text,
    intended_at     timestamptz,
    market_time     timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (session_id, client_order_id)
);
COMMENT ON COLUMN orders.status IS
    'intended, approved, refused, submitted, accepted, rejected, partially_filled, filled, cancelled, expired or unknown.';
COMMENT ON COLUMN orders.rule IS 'The rule by which the guard refused the order.';
COMMENT ON COLUMN orders.sequence IS 'The first fact about the order.';
COMMENT ON COLUMN orders.intended_at IS 'When the order was intended, by the market''s clock.';
COMMENT ON COLUMN orders.market_time IS 'The last fact about the order, by the market''s clock.';
COMMENT ON COLUMN orders.filled_value IS 'Quantity times price of all fills; divided by filled_qty it is the average price.';
COMMENT ON COLUMN orders.fees IS 'The sum of the fills'' fees, each in its own fee asset.';
CREATE INDEX orders_market_time ON orders (session_id, market_time);

CREATE TABLE fills (
    sequence        bigint PRIMARY KEY,
    session_id      uuid NOT NULL,
    client_order_id text NOT NULL,
    trade_id        text NOT NULL,
    strategy        text NOT NULL,
    symbol          text NOT NULL,
    side            text NOT NULL,
    qty             numeric NOT NULL,
    price           numeric NOT NULL,
    fee             numeric NOT NULL,
    fee_asset       text NOT NULL,
    liquidity       text NOT NULL,
    reference_price numeric NOT NULL,
    "timestamp"     timestamptz NOT NULL,
    market_time     timestamptz NOT NULL
);
CREATE INDEX fills_market_time ON fills (session_id, market_time);
CREATE INDEX fills_order ON fills (session_id, client_order_id);

CREATE TABLE trades (
    sequence     bigint PRIMARY KEY,
    session_id   uuid NOT NULL,
    strategy     text NOT NULL,
    symbol       text NOT NULL,
    qty          numeric NOT NULL,
    entry_price  numeric NOT NULL,
    exit_price   numeric NOT NULL,
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz NOT NULL,
    fees         numeric NOT NULL,
    pnl          numeric NOT NULL,
    return_ratio numeric NOT NULL
);
COMMENT ON TABLE trades IS 'Round trips, from flat to flat. Times are the market''s; pnl is net of fees; return_ratio 0.01 is 1 %.';
COMMENT ON COLUMN trades.sequence IS 'The fill that closed the trade.';
CREATE INDEX trades_closed_at ON trades (session_id, closed_at);

CREATE TABLE equity (
    sequence     bigint PRIMARY KEY,
    session_id   uuid NOT NULL,
    "timestamp"  timestamptz NOT NULL,
    market_time  timestamptz NOT NULL,
    equity       numeric NOT NULL,
    cash         numeric NOT NULL,
    exposure     numeric NOT NULL,
    pnl          numeric NOT NULL,
    fees         numeric NOT NULL,
    drawdown     numeric NOT NULL,
    max_drawdown numeric NOT NULL,
    trades       bigint NOT NULL,
    wins         bigint NOT NULL,
    losses       bigint NOT NULL
);
COMMENT ON TABLE equity IS 'The account at each bar''s close, as the runner marked it. drawdown 0.01 is 1 %.';
CREATE INDEX equity_market_time ON equity (session_id, market_time);
