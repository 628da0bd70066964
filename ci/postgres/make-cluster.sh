# shellcheck shell=bash disable=SC2154
# Creates and configures a cluster in $data. Reads $bindir, $folder, $log and $tls.

make_cluster() {
  local options=(-D "$data" -U sluice -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions)
  # Since Postgres 18 checksums are on by default; turn them off if there is an option for it.
  if [[ $("$bindir/initdb" --help) == *--no-data-checksums* ]]; then options+=(--no-data-checksums); fi
  as_server "$bindir/initdb" "${options[@]}" >>"$log" 2>&1 || fail "initdb failed: $(tail "$log")"
  local addresses=127.0.0.1
  if grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null; then addresses+=',::1'; fi
  cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '$addresses'
unix_socket_directories = '$folder'
max_connections = ${SLUICE_TEST_CONNECTIONS:-200}
timezone = 'UTC'
ssl = on
ssl_ca_file = '$tls/ca.crt'
ssl_cert_file = '$tls/server.crt'
ssl_key_file = '$tls/server.key'
# The cluster is removed with its command, so it need not survive a crash.
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = logical
max_wal_senders = 20
max_prepared_transactions = 10
max_replication_slots = 20
max_wal_size = 4GB
shared_buffers = ${SLUICE_TEST_SHARED_BUFFERS:-256MB}
# A vacuum or changing plans would disturb measurements: scripts that load data also analyze it.
autovacuum = off
# In the folder, because a killed server would leave its files in /dev/shm.
dynamic_shared_memory_type = mmap
CONF
}
