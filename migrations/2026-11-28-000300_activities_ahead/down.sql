-- What was taken in ahead must not be taken in again: the cursor passes it, and what waits before it is left out.
UPDATE trading.activity_cursor SET last_id = greatest(last_id, (SELECT max(id) FROM trading.activities_ahead));
DROP TABLE trading.activities_ahead;
