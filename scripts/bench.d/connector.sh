# shellcheck shell=bash
# The broker connector beside stand-ins for the brokers.

# prepare_connector -> CONNECTOR_DATABASE_URL, a database of its own with all tables, on the same cluster
prepare_connector() {
    local step
    postgres_provide_database gaemi bench_connector
    for step in "$ROOT"/migrations/*/up.sql; do
        ADMIN_DATABASE=bench_connector admin_psql --single-transaction -c 'SET ROLE gaemi' -f "$step" >/dev/null || die "$step failed."
    done
    CONNECTOR_DATABASE_URL=$(postgres_url gaemi "$GAEMI_DATABASE_PASSWORD" bench_connector)
}

# measure_connector -> figures, behind those there are
measure_connector() {
    BENCH_CONNECTOR=$(program_directory release)/broker-connector BENCH_DATABASE_URL=$CONNECTOR_DATABASE_URL \
        GAEMI_MARKET_DATA_TOKEN=${GAEMI_MARKET_DATA_TOKEN:-} \
        "$(program_directory release)/bench-orders" "127.0.0.1:$GAEMI_MARKET_DATA_PORT" "$PART_SECONDS" connector >>"$STATE_DIR/figures" ||
        die "the connector could not be measured."
}

# connector_verdicts -> what came of it; the array figure holds the figures
connector_verdicts() {
    printf '\nThe connector in this run, beside stand-ins; one flush takes %s us\n' "$FLUSH"
    printf '  %-52s %8s us\n' "an order to the broker itself, p50" "${figure[connector_broker_p50_micros]}" \
        "the same, p99" "${figure[connector_broker_p99_micros]}" \
        "an order through the connector, p50" "${figure[connector_through_p50_micros]}" \
        "the same, p99" "${figure[connector_through_p99_micros]}" \
        "to the broker itself in a burst, p50" "${figure[connector_burst_broker_p50_micros]}" \
        "through the connector in a burst, p50" "${figure[connector_burst_through_p50_micros]}"
    printf '  %-52s %8s x\n' "through the connector / the broker's own, p50" \
        "$(ratio "${figure[connector_through_p50_micros]}" "${figure[connector_broker_p50_micros]}")"
    printf '\n'
    verdict "added to the broker's own time, p50" \
        "$(ratio "$((figure[connector_through_p50_micros] - figure[connector_broker_p50_micros]))" 1000)" '<=' 1 ms
    verdict "the same in a burst" \
        "$(ratio "$((figure[connector_burst_through_p50_micros] - figure[connector_burst_broker_p50_micros]))" 1000)" '<=' 1 ms
    verdict "resident, two sessions and 1,000 resting orders" "$(ratio "${figure[connector_kilobytes]}" 1024)" '<=' 25 MB
}
