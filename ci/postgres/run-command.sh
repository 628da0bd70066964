# shellcheck shell=bash
# Runs the command, and forwards signals to it.

command_pid=
interrupted=
on_signal() {
  [[ -n $command_pid ]] || exit "$((128 + $(kill -l "$1")))"
  interrupted=yes
  # The terminal has also sent its interrupt to COMMAND.
  if [[ $1 == INT && -t 0 ]]; then return 0; fi
  kill -s "$1" "$command_pid" 2>/dev/null || true
}
pass_signals_on() {
  trap 'on_signal INT' INT
  trap 'on_signal TERM' TERM
  trap 'on_signal HUP' HUP
}

# In the background, so that signals reach this script at once. Bash ignores SIGINT in background commands; env restores
# it.
run_command() { # exits with the command's status
  local status
  env --default-signal=INT,QUIT -- "$@" <&0 9>&- &
  command_pid=$!
  while :; do
    interrupted=
    status=0
    wait "$command_pid" || status=$?
    [[ -n $interrupted ]] || break
    # If COMMAND ends while a signal interrupts wait, bash can lose its status: waiting again would never return.
    if ! kill -0 "$command_pid" 2>/dev/null && jobs -pr | grep -qx "$command_pid"; then break; fi
  done
  exit "$status"
}
