# Shared by the scripts; sourced, not run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv-mlflow
RESULTS=.build/test-results
# Where tests find the runtimes of models: in the environment that `make setup` made.
export VIRTUAL_ENV="$PWD/$VENV"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

# Says which step begins.
step() { printf '==> %s\n' "$*"; }

# Says what is wrong, and ends.
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command silently; its output appears only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}
