#!/bin/sh
# The page is tested in a real Chromium and with Node.js: install them from Debian's packages when
# they are missing and we may, else say what to do.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
  || command -v google-chrome >/dev/null 2>&1 || missing="chromium"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "error: the tests of the page need:$missing. Install them, for example with" >&2
  echo "    sudo apt-get install $missing" >&2
  exit 1
fi
