# shellcheck shell=bash disable=SC2154
# Starts the server of the cluster in $data and sets $port. Reads $bindir and $log.

start_server() { # tries ports until one is free
  local tries
  for ((tries = 0; tries < 20; ++tries)); do
    pick_port
    printf 'port = %s\n' "$port" >>"$data/postgresql.conf"
    printf -- '--- port %s\n' "$port" >>"$log"
    local started=yes
    # shellcheck disable=SC2094 # both only append to it
    as_server "$bindir/pg_ctl" start -D "$data" -l "$log" -w -s -t 60 >>"$log" 2>&1 9>&- || started=
    # If one of the two addresses is in use, the server only warns, and the other program would get half of the
    # connections.
    if ! sed -n "/^--- port $port\$/,\$p" "$log" | grep -q 'could not bind'; then
      [[ -n $started ]] || fail "the server does not start: $(tail -n 20 "$log")"
      return
    fi
    [[ -z $started ]] || as_server "$bindir/pg_ctl" stop -D "$data" -m immediate -w -s >>"$log" 2>&1
  done
  fail "no free port found: $(tail -n 20 "$log")"
}
