CREATE TABLE shadow_equity (
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
COMMENT ON TABLE shadow_equity IS
    'The account that a session''s shadow would have at each bar''s close. drawdown 0.01 is 1 %.';
CREATE INDEX shadow_equity_market_time ON shadow_equity (session_id, market_time);
