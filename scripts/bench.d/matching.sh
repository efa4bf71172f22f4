# shellcheck shell=bash
# The simulator's book with a thousand resting orders, on one core.

# measure_matching -> figures, behind those there are
measure_matching() {
    run_long cargo bench --locked --quiet --package exchange --bench matching >>"$STATE_DIR/figures" ||
        die "matching could not be measured."
}

# matching_verdicts -> what came of it; the array figure holds the figures
matching_verdicts() {
    printf '\nMatching in this run, one core, 1,000 resting orders\n'
    printf '  %-52s %10s /s\n' "reference: two comparisons and a copy" "${figure[matching_reference_per_second]}" \
        "quotes that reach nobody" "${figure[matching_per_second]}" \
        "the same, all orders with friction" "${figure[matching_realistic_per_second]}" \
        "every second quote executes and orders come anew" "${figure[matching_executing_per_second]}"
    printf '  %-52s %10s x\n' "a step of the book, in steps of the reference" \
        "$(ratio "${figure[matching_reference_per_second]}" "${figure[matching_per_second]}")"
    printf '\n'
    verdict "quotes against the book a second" "${figure[matching_per_second]}" '>=' 1000000 /s
    verdict "the same with friction" "${figure[matching_realistic_per_second]}" '>=' 1000000 /s
}
