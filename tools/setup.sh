#!/bin/sh
# Make the virtual environment $1 and install the project into it. On Debian it fetches what python and the SUMO wheel need
# of the system and a bare machine lacks: python's venv module, and the X and GL libraries SUMO is linked with.
set -eu
venv=$1
python=${PYTHON:-python3}

missing=""
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
libraries=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null || true)
for pair in libX11.so.6:libx11-6 libXext.so.6:libxext6 libXrender.so.1:libxrender1 libGL.so.1:libgl1; do
    case "$libraries" in
        *"${pair%%:*}"*) ;;
        *) missing="$missing ${pair##*:}" ;;
    esac
done
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "please install what this machine lacks (Debian's names):$missing" >&2
        exit 1
    fi
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
