# shellcheck shell=bash
# Shared by the scripts of this folder. Each sources it first; it changes to the top of the source tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_root=${SLUICE_BUILD_ROOT:-build}
jobs=${SLUICE_JOBS:-$(nproc)}
if [[ -d /usr/lib/ccache ]]; then export PATH=/usr/lib/ccache:$PATH; fi
export CCACHE_SLOPPINESS=pch_defines,time_macros # otherwise ccache refuses precompiled headers
if [[ ! -w ${CCACHE_DIR:-${HOME-}} ]]; then export CCACHE_DISABLE=1; fi # there is no folder to store results

# Compiles several of the library's files at once. Meson 1.0 links what does not exist where the number of a library's
# files is a multiple of this size: then choose another one.
in_groups=(-Dunity=on -Dunity_size=40)

# What the tests need to be built and run with GCC. Some scripts need more.
# shellcheck disable=SC2034 # used by the scripts that source this
to_test=(g++ meson ninja-build pkg-config python3 git libasio-dev libsimdjson-dev libssl-dev libgtest-dev libgmock-dev
  prometheus-cpp-dev libpq-dev postgresql postgresql-contrib pgbouncer openssl parallel)

# The build of tests that look for undefined behaviour: fast to compile (unoptimized, several of the library's files at
# once), but with names and lines in the reports.
# shellcheck disable=SC2034 # used by the scripts that source this
sanitized=(-Dwerror=true '-Db_sanitize=address,undefined' -Db_lundef=false -Doptimization=0 -Dcpp_args=-g1
  "${in_groups[@]}" -Dtests=enabled)

# Runs a command with the sanitizers' options.
watched() {
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$@"
}

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Prints a command so that it can be pasted into a shell, and runs it.
run() {
  local word line='$'
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then
      line+=" $word"
    elif [[ $word == *[\$\`\"\\!]* ]]; then
      line+=" ${word@Q}"
    else
      line+=" \"$word\""
    fi
  done
  printf '%s\n' "$line"
  "$@"
}

# quietly WHAT COMMAND...: says what it does and how long it took. What the command prints is shown only if it fails.
quietly() {
  local start=$SECONDS log
  log=$(mktemp)
  say "$1"
  shift
  if ! "$@" >"$log" 2>&1; then
    cat "$log"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  printf '%s s\n' $((SECONDS - start))
}

# install_packages NAME...: installs those that are missing on Debian or Ubuntu. Elsewhere the build reports what is
# missing.
install_packages() {
  command -v dpkg-query >/dev/null || return 0
  local name missing=() as_root=()
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(-n)
    "${as_root[@]}" true 2>/dev/null || fail "as root, run first: apt-get install --no-install-recommends ${missing[*]}"
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
  run "${as_root[@]}" update
  run "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"
}

# The version in meson.build: 1.2.3.
project_version() { grep -oPm1 "^  version: '\K[^']+" meson.build; }

# configure NAME [OPTION...]: configures a Meson build folder and sets $build to its path.
configure() {
  build=$build_root/$1
  mkdir -p "$build" 2>/dev/null || fail "cannot write to $build: set SLUICE_BUILD_ROOT to a folder of yours"
  local again=()
  if [[ -f $build/meson-private/coredata.dat ]]; then again=(--reconfigure); fi
  run meson setup "${again[@]}" "$build" "${@:2}"
}

# build_dir NAME [OPTION...]: the same, and compiles it.
build_dir() {
  configure "$@" && run ninja -C "$build" -j "$jobs"
}

# Prints a block of code of the guide for the first stream.
block() { # LANGUAGE NUMBER
  awk -v open="\`\`\`$1" -v number="$2" '/^```/ { inside = !inside; wanted = inside && $0 == open && ++seen == number; next }
    wanted' docs/first-stream.md
}
