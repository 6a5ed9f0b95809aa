#!/bin/sh
# Make a virtual environment at $1, fetching Debian's venv package where python comes without it.
set -eu
python=${PYTHON:-python3}
[ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
rm -rf "$1"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    command -v apt-get >/dev/null || { echo "python's venv module is missing; install it (Debian: python3-venv)" >&2; exit 1; }
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq python3-venv >/dev/null
fi
"$python" -m venv "$1"
