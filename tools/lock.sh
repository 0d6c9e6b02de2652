#!/usr/bin/env bash
# Resolve pyproject.toml anew into the two lock files, for Python 3.11 to 3.13 at once. Needs `uv` on the PATH.
#
# enum34, which pyangbind asks for, is left out on purpose: every Python here has `enum`, and the package breaks the
# interpreter when site-packages comes before the standard library. So the locks are installed with --no-deps.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--quiet --universal --python-version 3.11 --generate-hashes --no-emit-package enum34 --no-header --no-annotate)
uv pip compile "${options[@]}" "$@" --extra build pyproject.toml -o requirements.lock
uv pip compile "${options[@]}" "$@" --extra dev -c requirements.lock --no-emit-package sdqkd pyproject.toml -o requirements-dev.lock
