-- Orders that an account has had before: cancelled, each with its history, the last five years long.
CREATE TEMPORARY TABLE past AS
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(number::text), 1, 19))::uuid AS id,
    a.id AS account_id, a.user_id, number, at
FROM account.accounts AS a, generate_series(1, :orders) AS number,
    LATERAL (SELECT now() - interval '1 minute' * 2.6 * (1 + :orders - number) AS at) AS time
WHERE a.id = :'account';

INSERT INTO trading.order_events (order_id, sequence, event, status, detail, occurred_at)
SELECT id, 2, 'canceled', 'CANCELED', NULL, at
FROM past;

INSERT INTO trading.orders (id, account_id, user_id, client_order_id, symbol, side, order_type, time_in_force, quantity,
    limit_price, worst_price, fees_max, status, is_open, ended_as, event_sequence, created_at, updated_at)
SELECT id, account_id, user_id, id::text, (ARRAY['AAPL', 'IBM', 'MSFT', 'KO'])[1 + number % 4], 'buy', 'limit', 'gtc', 1,
    10, 10, 1, 'CANCELED', false, 'CANCELED', 2, at, at
FROM past;

ANALYZE trading.orders;
ANALYZE trading.order_events;
