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

# Makes a Python environment that has exactly what a list of pinned requirements says; does nothing when it has.
#   environment DIRECTORY REQUIREMENTS WHAT CHECK
# WHAT is told to whoever waits, CHECK is a line of Python that must succeed.
environment() {
    local folder wanted
    folder=$(realpath -m "$1") # venv refuses a link
    wanted=$(sha256sum <"$2")
    [ "$(cat "$folder/.stamp" 2>/dev/null)" != "$wanted" ] || return 0
    local python=${PYTHON:-python3}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or later is needed (set PYTHON)"
    step "Installing $3 into $1"
    quietly "$python" -m venv --clear "$folder"
    quietly "$folder/bin/pip" install --quiet --no-deps --only-binary :all: --requirement "$2"
    quietly "$folder/bin/python" -c "$4"
    echo "$wanted" >"$folder/.stamp"
}
