# shellcheck shell=bash
# Steps of a long check: each is named, timed and counted, and the first that fails ends the run.

# What a step returns when this machine lacks something for it and we may not install it.
SKIPPED=77
KEEP_GOING=no
STEP_LINES=()
STEPS_PASSED=0 STEPS_FAILED=0 STEPS_SKIPPED=0

# step NAME FUNCTION
step() {
    local started status=0 outcome
    started=$(now_millis)
    printf '\n== %s\n' "$1"
    # As the left side of "||" a function would run on after a failing line; it must return its failures itself.
    "$2" || status=$?
    case $status in
    0) outcome=ok STEPS_PASSED=$((STEPS_PASSED + 1)) ;;
    "$SKIPPED")
        outcome=skipped STEPS_SKIPPED=$((STEPS_SKIPPED + 1))
        # A machine that judges for others must not leave anything out.
        [[ -z ${CI:-} ]] || outcome=failed STEPS_SKIPPED=$((STEPS_SKIPPED - 1)) STEPS_FAILED=$((STEPS_FAILED + 1))
        ;;
    *) outcome=failed STEPS_FAILED=$((STEPS_FAILED + 1)) ;;
    esac
    STEP_LINES+=("$(printf '  %-8s %-32s %7s s' "$outcome" "$1" "$(seconds_since "$started")")")
    say "== $1: $outcome after $(seconds_since "$started") s"
    [[ $outcome != failed || $KEEP_GOING == yes ]] || summarise
}

# summarise -> the closing lines; ends the script
summarise() {
    printf '\n'
    printf '%s\n' "${STEP_LINES[@]}"
    ((STEPS_SKIPPED == 0)) || say "$STEPS_SKIPPED skipped: this machine lacks what they need, see above"
    say "$STEPS_PASSED passed, $STEPS_FAILED failed (steps, in $SECONDS s)"
    ((STEPS_FAILED == 0)) || exit 1
    exit 0
}

# provide_command COMMAND PACKAGE -> installs the package when the command is missing and we may
provide_command() {
    command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]] && return 0
    say "installing $2"
    apt_install "$2" && return 0
    complain "$1 is missing: run 'apt install $2' as root."
    return 1
}
