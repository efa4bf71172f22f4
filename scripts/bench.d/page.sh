# shellcheck shell=bash
# The page in a real browser, beside a bare page that only writes prices into a list.

# prepare_page -> GAEMI_CHROMIUM and what the measurement runs on
prepare_page() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && break
    done
    GAEMI_CHROMIUM=$(command -v "$name") || die "the page is measured in Chromium, which is not installed."
    export GAEMI_CHROMIUM
    install_page_packages || die "the page's packages could not be installed."
}

# measure_page -> its figures, behind those there are
measure_page() {
    GAEMI_URL=$(<"$STATE_DIR/run/address") node "$ROOT/frontend/browser-tests/measure.mjs" --figures >>"$STATE_DIR/figures" ||
        die "the page could not be measured."
    printf 'page_bundle_kilobytes %s\n' "$(node "$ROOT/frontend/scripts/check-bundle.mjs" | sed -n 's/.* \([0-9.]*\) kB gzip.*/\1/p')" \
        >>"$STATE_DIR/figures"
}

# page_verdicts -> what came of it; the array figure holds the figures
page_verdicts() {
    local name
    printf '\nThe page in this run, 500 symbols at 10 quotes a second each\n'
    for name in desk bare; do
        printf '  %-52s %8s %% of the main thread (script %s %%), %s quotes/s, %s frames/s\n' "$name page" \
            "${figure[page_${name}_task_percent]}" "${figure[page_${name}_script_percent]}" \
            "${figure[page_${name}_quotes_per_second]}" "${figure[page_${name}_frames_per_second]}"
    done
    printf '\n'
    verdict "main thread busy" "${figure[page_desk_task_percent]}" '<=' 30 %
    verdict "frames a second / bare page's" \
        "$(ratio "${figure[page_desk_frames_per_second]}" "${figure[page_bare_frames_per_second]}")" '>=' 0.95 x
    verdict "main thread busy / bare page's" \
        "$(ratio "${figure[page_desk_task_percent]}" "${figure[page_bare_task_percent]}")" '<=' 3 x
    verdict "desk usable after a reload, 4 times slowed down" "${figure[page_start_millis]}" '<=' 1500 ms
    verdict "scripts of the first screen, compressed" "${figure[page_bundle_kilobytes]}" '<=' 250 kB
}
