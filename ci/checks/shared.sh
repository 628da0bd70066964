# shellcheck shell=bash
# Shared by the checks. Each check prints what is wrong, and fails if there is anything.
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# Allows checking a clone that belongs to another user.
tracked() { git -c safe.directory='*' ls-files "$@"; }

# Prints the lines that match; fails when there are any.
none() {
  local pattern=$1 status=0
  shift
  (($#)) || return 0
  grep -nPH -- "$pattern" "$@" || status=$?
  ((status == 1))
}

# Configures a build folder for Clang and sets $build; it contains the compile commands of each source.
configure_clang() { CC=clang-19 CXX=clang++-19 configure clang -Dwerror=true >/dev/null; }

# Sets $flags to the compiler options of a program that uses the library.
configure_flags() {
  configure_clang
  # shellcheck disable=SC2034 # used by the checks
  read -ra flags < <(PKG_CONFIG_PATH=$build/meson-uninstalled pkg-config --cflags sluice)
}
