# shellcheck shell=bash
# The quote server beside a bare TCP writer and Node with `ws`.

WS_VERSION=8.23.0

# prepare_ws -> the usual choice, in the private state folder
prepare_ws() {
    mkdir "$STATE_DIR/ws"
    cp "$ROOT/scripts/bench.d/ws-server.mjs" "$STATE_DIR/ws/"
    run_long npm --prefix "$STATE_DIR/ws" install --no-audit --no-fund --loglevel=error "ws@$WS_VERSION" >/dev/null ||
        die "the package ws could not be installed."
}

# raise_open_files -> thousands of subscribers need as many sockets, at both ends
raise_open_files() {
    local wanted=16384
    ulimit -Sn "$(ulimit -Hn)" 2>/dev/null || true
    [[ $(ulimit -Sn) == unlimited ]] || (($(ulimit -Sn) >= wanted)) ||
        die "5,000 subscribers need $wanted open files, and the limit is $(ulimit -Sn) (ulimit -Hn)."
}

# measure_quotes -> figures of every part, behind those there are
measure_quotes() {
    raise_open_files
    BENCH_MARKET_DATA=$(program_directory release)/market-data BENCH_NODE_SCRIPT=$STATE_DIR/ws/ws-server.mjs \
        BENCH_DATABASE_URL=$DATABASE_URL BENCH_STEP_SECONDS=${BENCH_STEP_SECONDS:-3} BENCH_SOAK_SECONDS=${BENCH_SOAK_SECONDS:-60} \
        "$(program_directory release)/bench-quotes" fan calm idle sleepers memory history soak >>"$STATE_DIR/figures" ||
        die "the load generator failed."
}

# quote_verdicts -> what came of it; the array figure holds the figures
quote_verdicts() {
    local subscribers name
    printf '\nQuotes in this run, %s s a step\n' "${BENCH_STEP_SECONDS:-3}"
    for subscribers in 1000 5000; do
        for name in together gaemi node; do
            printf '  %-52s %8s /s, %s ns of processor a message, p99 %s us\n' "$subscribers subscribers, $name" \
                "${figure[fan_${name}_${subscribers}_rate]}" "${figure[fan_${name}_${subscribers}_cpu_nanos]}" \
                "${figure[fan_${name}_${subscribers}_p99_micros]}"
        done
    done
    printf '  %-52s %8s us\n' "20,000/s, p50" "${figure[calm_gaemi_p50_micros]}" \
        "20,000/s, p99" "${figure[calm_gaemi_p99_micros]}" \
        "20,000/s, a writer of each message, p99" "${figure[calm_each_p99_micros]}" \
        "500 readers alone, p99" "${figure[sleepers_alone_p99_micros]}" \
        "beside 500 who never read, p99" "${figure[sleepers_beside_p99_micros]}"
    printf '\n'
    verdict "1,000 subscribers, rate / bare writer's" \
        "$(ratio "${figure[fan_gaemi_1000_rate]}" "${figure[fan_together_1000_rate]}")" '>=' 0.85 x
    verdict "1,000 subscribers, rate / Node ws'" \
        "$(ratio "${figure[fan_gaemi_1000_rate]}" "${figure[fan_node_1000_rate]}")" '>=' 3 x
    verdict "1,000 subscribers, processor a message / bare writer's" \
        "$(ratio "${figure[fan_gaemi_1000_cpu_nanos]}" "${figure[fan_together_1000_cpu_nanos]}")" '<=' 1.25 x
    verdict "5,000 subscribers, rate / Node ws'" \
        "$(ratio "${figure[fan_gaemi_5000_rate]}" "${figure[fan_node_5000_rate]}")" '>=' 5 x
    verdict "20,000/s, p99 / a writer of each message" \
        "$(ratio "${figure[calm_gaemi_p99_micros]}" "${figure[calm_each_p99_micros]}")" '<=' 1.2 x
    verdict "beside 500 who never read, p99 / alone" \
        "$(ratio "${figure[sleepers_beside_p99_micros]}" "${figure[sleepers_alone_p99_micros]}")" '<=' 2 x
    verdict "grown by 500 who never read" "$(ratio "${figure[sleepers_grown_kilobytes]}" 1024)" '<=' 64 MB
    verdict "one of 5,000 idle subscribers" "$(ratio "${figure[idle_bytes_each]}" 1024)" '<=' 8 KB
    verdict "500 symbols live, 100 subscribers" "$(ratio "${figure[memory_kilobytes]}" 1024)" '<=' 40 MB
    verdict "grown in ${figure[soak_seconds]} s at 20,000/s" "$(ratio "${figure[soak_grown_kilobytes]}" 1024)" '<=' 2 MB
    verdict "messages lost at 20,000/s" \
        "$(sum "${figure[calm_gaemi_lost]}" "${figure[sleepers_lost]}" "${figure[memory_lost]}" "${figure[soak_lost]}")" '<=' 0 ''
    verdict "ten years of days (${figure[history_days]}), p50" "$(ratio "${figure[history_p50_micros]}" 1000)" '<=' 10 ms
    verdict "minutes into Postgres a second" "${figure[load_bars_per_second]}" '>=' 200000 ''
}
