# Completion of sluice for bash.
_sluice() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  case $before in
    --on-error) mapfile -t COMPREPLY < <(compgen -W 'stop skip' -- "$word") ;;
    --create-slot) mapfile -t COMPREPLY < <(compgen -W 'temporary permanent' -- "$word") ;;
    --until) mapfile -t COMPREPLY < <(compgen -W 'now' -- "$word") ;;
    --state) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --format) mapfile -t COMPREPLY < <(compgen -W 'ndjson array raw csv tsv arrow' -- "$word") ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W 'plain paged bulk' -- "$word") ;;
    --split) mapfile -t COMPREPLY < <(compgen -W 'ctid key: hash:' -- "$word") ;;
    -d | --dsn) mapfile -t COMPREPLY < <(compgen -W 'postgresql:// service= host=' -- "$word") ;;
    --column | --where | --select | --sql | --param | --null | --order-by | --limit | --offset | --timeout | --connect-timeout \
      | --page-rows | --parallel | --partitions | --partition | --chunk-rows | --buffer | --max-row | --load | --follow | --slot) COMPREPLY=() ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W '--dsn --column --where --select --explain --sql --param --param-null --order-by --limit
        --offset --format --null --validate --load --on-error --follow --slot --create-slot --snapshot --state --until --transactions --reconnect --count --stats --progress --timeout --connect-timeout --mode --page-rows --parallel --split --partitions --partition
        --chunk-rows --buffer --max-row --version --help' -- "$word")
      ;;
  esac
}
complete -F _sluice sluice
