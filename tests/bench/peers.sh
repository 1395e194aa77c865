#!/usr/bin/env bash
# Installs what the benchmark of test suites is measured beside, below target/tools: hurl, stepci and tavern. Never part of tests/run.
# One that cannot be installed is told of and left out; the benchmark then says that it is not measured.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec < /dev/null

hurl_version=8.0.1
stepci_version=2.8.2
tavern_version=3.7.1
bin=$PWD/target/tools/bin
peers=$PWD/target/tools/peers
mkdir -p "$bin" "$peers"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# A native program on libcurl and libxml2.
hurl() {
  if [ ! -x "$bin/hurl" ]; then
    as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
        libcurl4-openssl-dev libxml2-dev libclang-dev clang pkg-config > /dev/null &&
      cargo install hurl --version "$hurl_version" --locked --root target/tools --target-dir target/tools/build
  fi
}

stepci() {
  [ -x "$bin/stepci" ] || {
    npm install --silent --no-audit --no-fund --prefix "$peers/stepci" "stepci@$stepci_version" &&
      ln -sf ../peers/stepci/node_modules/.bin/stepci "$bin/stepci"
  }
}

# It runs as a plugin of pytest, whose next major version it does not load into.
tavern() {
  [ -x "$bin/tavern-pytest" ] || {
    python3 -m venv "$peers/tavern" &&
      "$peers/tavern/bin/pip" install --quiet --disable-pip-version-check "tavern==$tavern_version" "pytest<9" pytest-xdist &&
      ln -sf ../peers/tavern/bin/pytest "$bin/tavern-pytest"
  }
}

missing=0
for peer in stepci tavern hurl; do
  printf '== %s\n' "$peer" >&2
  "$peer" || { printf '%s cannot be installed\n' "$peer" >&2; missing=1; }
done
exit "$missing"
