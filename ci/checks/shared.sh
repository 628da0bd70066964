# shellcheck shell=bash
# What the checks share. Each prints what is wrong, and fails if there is anything.
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# A clone that somebody else owns may be checked too.
tracked() { git -c safe.directory='*' ls-files "$@"; }

# Prints the lines that match; fails when there are any.
none() {
  local pattern=$1 status=0
  shift
  (($#)) || return 0
  grep -nPH -- "$pattern" "$@" || status=$?
  ((status == 1))
}

# A build folder for Clang, in $build, with the commands that compile each source.
configure_clang() { CC=clang-19 CXX=clang++-19 configure clang -Dwerror=true >/dev/null; }

# The compiler's options for a program that uses the library, in $flags.
configure_flags() {
  configure_clang
  # shellcheck disable=SC2034 # for the checks
  read -ra flags < <(PKG_CONFIG_PATH=$build/meson-uninstalled pkg-config --cflags sluice)
}
