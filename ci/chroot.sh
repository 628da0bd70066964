# shellcheck shell=bash disable=SC2154
# Other releases of Debian, each in a chroot below the build root. Sourced after ci/common.sh.

# in_chroot NAME RELEASE COMMAND...: runs COMMAND in a copy of this tree in the chroot NAME, which debootstrap creates on
# the first run. Needs root.
in_chroot() {
  local root=$PWD/$build_root/$1
  ((EUID == 0)) || fail 'needs root: it mounts and changes the root folder'
  install_packages debootstrap git
  if [[ ! -e $root/complete ]]; then
    say "Install Debian ($2)"
    rm -rf "$root"
    mkdir -p "$root"
    run debootstrap --variant=minbase --include=ca-certificates "$2" "$root"
    touch "$root/complete"
  fi
  cp /etc/resolv.conf "$root/etc/"

  # The files that git tracks, in their current state. Earlier build results are kept.
  mkdir -p "$root/sluice"
  find "$root/sluice" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
  git -c safe.directory='*' ls-files -z | xargs -0 tar -c --ignore-failed-read | tar -x -C "$root/sluice"

  say "On Debian ($2): ${*:3}"
  # The mounts disappear with the namespace.
  # shellcheck disable=SC2016 # expanded by the shell inside
  unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
    exec chroot "$0" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="$TERM" SLUICE_JOBS="$SLUICE_JOBS" \
      sh -c "cd /sluice && exec \"\$@\"" sh "$@"
  ' "$root" "${@:3}"
}
