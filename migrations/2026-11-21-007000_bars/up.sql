-- Bars of the quote server. Nothing here is money of anybody: the tables can be emptied at any time and fill again.
CREATE SCHEMA market;

-- One share's bars of one length, out of one source, counted in one way. Raw and adjusted prices never share a series.
CREATE TABLE market.series (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol           text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 10),
    source           text NOT NULL CHECK (length(source) BETWEEN 1 AND 32),
    interval_minutes smallint NOT NULL CHECK (interval_minutes IN (1, 5, 15, 60, 1440)),
    adjustment       text NOT NULL CHECK (adjustment IN ('raw', 'splits', 'all')),
    -- Days that were asked of the source to their end, whether it had bars or not: none is asked for again.
    covered          datemultirange NOT NULL DEFAULT '{}',
    UNIQUE (symbol, source, interval_minutes, adjustment)
);

-- A bar of a day begins at its date's midnight in UTC; every other one when its first minute does.
CREATE TABLE market.daily_bars (
    series_id integer NOT NULL,
    starts_at timestamptz NOT NULL,
    open      numeric NOT NULL CHECK (open > 0),
    high      numeric NOT NULL CHECK (high >= open AND high >= close),
    low       numeric NOT NULL CHECK (low > 0 AND low <= open AND low <= close),
    close     numeric NOT NULL,
    volume    bigint NOT NULL CHECK (volume >= 0),
    PRIMARY KEY (series_id, starts_at)
) PARTITION BY RANGE (starts_at);

CREATE TABLE market.minute_bars (LIKE market.daily_bars INCLUDING ALL) PARTITION BY RANGE (starts_at);

-- Where the extension is installed it divides the tables instead.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        DROP TABLE market.minute_bars;
        CREATE TABLE market.plain_bars (LIKE market.daily_bars INCLUDING ALL);
        DROP TABLE market.daily_bars;
        ALTER TABLE market.plain_bars RENAME TO daily_bars;
        CREATE TABLE market.minute_bars (LIKE market.daily_bars INCLUDING ALL);
        PERFORM create_hypertable('market.daily_bars', 'starts_at', chunk_time_interval => interval '3650 days');
        PERFORM create_hypertable('market.minute_bars', 'starts_at', chunk_time_interval => interval '30 days');
    END IF;
END
$$;

-- Makes the partitions for a span of time: decades of daily bars, months of shorter ones. Nothing to do on a hypertable.
CREATE FUNCTION market.make_partitions(bars regclass, first timestamptz, last timestamptz) RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    daily boolean := bars = 'market.daily_bars'::regclass;
    unit text := CASE WHEN daily THEN 'decade' ELSE 'month' END;
    step interval := CASE WHEN daily THEN interval '10 years' ELSE interval '1 month' END;
    begins timestamptz := date_trunc(unit, first);
    name text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = bars) <> 'p' THEN RETURN; END IF;
    WHILE begins <= last LOOP
        name := format('%s_%s', CASE WHEN daily THEN 'daily_bars' ELSE 'minute_bars' END,
            to_char(begins, CASE WHEN daily THEN 'YYYY' ELSE 'YYYY_MM' END));
        IF to_regclass(format('market.%I', name)) IS NULL THEN
            -- Two loads may want the same one; the second finds it.
            PERFORM pg_advisory_xact_lock(hashtextextended('market.make_partitions', 0));
            EXECUTE format('CREATE TABLE IF NOT EXISTS market.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                name, bars, begins, begins + step);
        END IF;
        begins := begins + step;
    END LOOP;
END
$$;

-- Forgets shorter bars before a moment: whole months only, so that nothing is rewritten.
CREATE FUNCTION market.forget_minutes(before timestamptz) RETURNS integer
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
