-- The guard and the runner may both tell an execution: it is one row, and counts once in its order.
WITH told_again AS (
    DELETE FROM fills AS again USING fills AS first
    WHERE again.session_id = first.session_id AND again.client_order_id = first.client_order_id
      AND again.trade_id = first.trade_id AND again.sequence > first.sequence
    RETURNING again.session_id, again.client_order_id, again.qty, again.price, again.fee
), too_much AS (
    SELECT session_id, client_order_id, sum(qty) AS qty, sum(qty * price) AS value, sum(fee) AS fee
    FROM told_again GROUP BY session_id, client_order_id
)
UPDATE orders SET
    filled_qty = filled_qty - too_much.qty,
    filled_value = filled_value - too_much.value,
    fees = fees - too_much.fee
FROM too_much
WHERE orders.session_id = too_much.session_id AND orders.client_order_id = too_much.client_order_id;

DROP INDEX fills_order;
CREATE UNIQUE INDEX fills_execution ON fills (session_id, client_order_id, trade_id);
