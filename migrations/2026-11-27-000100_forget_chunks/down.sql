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
        DELETE FROM market.minute_bars WHERE starts_at < until;
        RETURN 0;
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
