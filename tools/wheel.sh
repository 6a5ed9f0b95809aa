#!/bin/sh
# Build the wheel, install it into a fresh environment without extras, and import every room from it.
set -eu
python=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m build --wheel --outdir "$work/dist" . >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
"$python" -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$work"/dist/*.whl
cd "$work"
"$work/env/bin/python" - <<'PY'
import importlib
import importlib.metadata as metadata
import pathlib
import sys

import signalwright

assert "numba" not in sys.modules, "importing the package imports numba"
files = metadata.files("signalwright")
assert files is not None
tops = {f.parts[0] for f in files if ".." not in f.parts}
assert {t for t in tops if not t.endswith(".dist-info")} == {"signalwright"}, tops
for room in ("core", "core.kernels", "core.planning", "controllers", "networks", "hardware", "experiments"):
    importlib.import_module(f"signalwright.{room}")
    folder = pathlib.Path(signalwright.__file__).parent.joinpath(*room.split("."))
    for file in sorted(folder.glob("*.py")):
        if room in ("core", "core.kernels", "controllers", "hardware"):
            importlib.import_module(f"signalwright.{room}.{file.stem}")
for absent in ("libsumo", "traci", "sumolib", "matplotlib", "polars", "scipy"):
    assert absent not in sys.modules, f"a cabinet's rooms import {absent}"
print("wheel: every room imports, and a cabinet needs neither SUMO nor plots")
PY
"$work/env/bin/signalwright" --version
"$work/env/bin/signalwright" --help >/dev/null
