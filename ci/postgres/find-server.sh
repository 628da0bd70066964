# shellcheck shell=bash
# Finds the server's programs.

# Prints the folder of initdb and postgres.
find_bindir() {
  local candidate candidates=()
  if [[ -n ${SLUICE_PG_BINDIR-} ]]; then
    [[ -x $SLUICE_PG_BINDIR/initdb ]] || fail "no initdb in SLUICE_PG_BINDIR ($SLUICE_PG_BINDIR)"
    realpath "$SLUICE_PG_BINDIR"
    return
  fi
  mapfile -t candidates < <(
    pg_config --bindir 2>/dev/null
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
    command -v initdb | xargs -r dirname
  )
  for candidate in "${candidates[@]}"; do
    if [[ -x $candidate/initdb ]]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail 'no Postgres server found: apt-get install postgresql, or set SLUICE_PG_BINDIR to the folder of initdb'
}

# Prints the path of psql: the server's own if it exists.
find_psql() { # BINDIR
  if [[ -x $1/psql ]]; then printf '%s\n' "$1/psql"; else command -v psql; fi \
    || fail 'psql not found: apt-get install postgresql-client'
}
