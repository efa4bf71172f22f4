# shellcheck shell=bash
# What the tables of a database hold, as a line each: two databases with equal lines have equal contents.

# Rows are compared as text, so everything that decides how a value is written is set.
SUMS_SETTINGS="SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex'; SET extra_float_digits = 3;"

# shellcheck disable=SC2034 # used by those who read this file
# Each table with its number of rows and the sum of their hashes, and how far each sequence has counted.
SUMS_QUERY=$SUMS_SETTINGS"
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM %I.%I AS t',
    n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY n.nspname, c.relname \\gexec
SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences ORDER BY 1;
"
