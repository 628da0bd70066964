# shellcheck shell=bash disable=SC2034,SC2154
# Shared by the scripts that run a command with a server.

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Runs a command as $server_user if this is root, because a server refuses to run as root.
as_server() {
  if ((EUID == 0)); then
    setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups -- "$@"
  else
    "$@"
  fi
}

# Sets $port to one that is probably free.
pick_port() { port=$((20000 + (RANDOM << 15 | RANDOM) % 12000)); }
