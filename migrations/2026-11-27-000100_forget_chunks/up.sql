-- Where timescaledb divides the table, whole parts of it are dropped as well: deleted rows would leave their space behind.
-- Its parts do not begin with months, so rows go from the one that the month begins in.
CREATE OR REPLACE FUNCTION market.forget_minutes(before timestamptz) RETURNS integer
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    until timestamptz := date_trunc('month', before);
    dropped integer := 0;
    old text;
BEGIN
    UPDATE market.series SET covered = covered - datemultirange(daterange(NULL, until::date))
    WHERE interval_minutes < 1440 AND covered && daterange(NULL, until::date);
    IF (SELECT relkind FROM pg_class WHERE oid = 'market.minute_bars'::regclass) <> 'p' THEN
        EXECUTE format('SELECT count(*) FROM %s.drop_chunks(''market.minute_bars'', older_than => $1)',
            (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'timescaledb'))
            INTO dropped USING until;
        DELETE FROM market.minute_bars WHERE starts_at < until;
        RETURN dropped;
    END IF;
    FOR old IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'market.minute_bars'::regclass
            AND to_timestamp(right(relname, 7), 'YYYY_MM') < until
    LOOP
        EXECUTE format('DROP TABLE market.%I', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
