# Completion of sluice for bash.

# Sets `words` to those before the cursor, without quotes; readline would also split them at "=" and ":". Variables are
# replaced, nothing is run: fails where that would be needed.
_sluice_words() {
  local line=${COMP_LINE:0:COMP_POINT} word='' quote='' started='' char at
  local variable='^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?'
  words=()
  for ((at = 0; at < ${#line}; ++at)); do
    char=${line:at:1}
    if [[ $quote == "'" ]]; then
      if [[ $char == "'" ]]; then quote=''; else word+=$char; fi
    elif [[ $char == '`' ]]; then
      return 1
    elif [[ $char == '$' ]]; then
      [[ ${line:at} =~ $variable ]] || return 1
      word+=${!BASH_REMATCH[1]} started=1
      ((at += ${#BASH_REMATCH[0]} - 1))
    elif [[ $char == \\ ]]; then
      ((++at))
      word+=${line:at:1} started=1
    elif [[ -n $quote ]]; then
      if [[ $char == "$quote" ]]; then quote=''; else word+=$char; fi
    elif [[ $char == [\'\"] ]]; then
      quote=$char started=1
    elif [[ $char == [[:space:]] ]]; then
      [[ -z $started ]] || words+=("$word")
      word='' started=''
    else
      word+=$char started=1
    fi
  done
}

# Relations of the database that the line names, from the server. Nothing where it does not answer within a second.
# With casts, so that no operator of a schema on the search_path is a better match than those of pg_catalog.
_sluice_relations() {
  local -a words=() to=()
  local at name
  _sluice_words || return 0
  for ((at = 1; at < ${#words[@]}; ++at)); do
    case ${words[at]} in
      -d | --dsn | -h | --host | -p | --port | -U | --username) to+=("${words[at]}" "${words[++at]-}") ;;
      -[dhpU]* | --dsn=* | --host=* | --port=* | --username=*) to+=("${words[at]}") ;;
    esac
  done
  local -a ask=("${COMP_WORDS[0]/#\~\//$HOME/}" "${to[@]}" --connect-timeout 500ms --timeout 500ms --format tsv
    --param "$1" --sql "select name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
      lateral (select case when strpos(\$1::text, '.') = 0 and pg_catalog.pg_table_is_visible(c.oid) then '' else
      n.nspname::text || '.' end || c.relname::text) as named (name) where c.relkind in ('r', 'v', 'm', 'f', 'p')
      and not c.relispartition and (left(\$1, 3) = 'pg_' or left(n.nspname::text, 3) <> 'pg_')
      and n.nspname::text <> 'information_schema' and strpos(n.nspname::text || c.relname::text, '.') = 0
      and left(name, length(\$1)) = \$1 order by name limit 1000")
  ! type -P timeout >/dev/null || ask=(timeout -k 0.1 1 "${ask[@]}")
  # A name with anything else in it, which the shell might obey, is left out.
  while IFS= read -r name; do
    [[ $name =~ ^[[:alnum:]_.]+$ && $name == "$1"* ]] && COMPREPLY+=("$name")
  done < <("${ask[@]}" 2>/dev/null </dev/null | tail -n +2)
  return 0
}

_sluice() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  case $before in
    --on-error) mapfile -t COMPREPLY < <(compgen -W 'stop skip' -- "$word") ;;
    --create-slot) mapfile -t COMPREPLY < <(compgen -W 'temporary permanent' -- "$word") ;;
    --until) mapfile -t COMPREPLY < <(compgen -W 'now' -- "$word") ;;
    --state | -f | --file | -o | --output)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      compopt -o filenames 2>/dev/null
      ;;
    --format) mapfile -t COMPREPLY < <(compgen -W 'ndjson array raw csv tsv arrow' -- "$word") ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W 'plain paged bulk' -- "$word") ;;
    --split) mapfile -t COMPREPLY < <(compgen -W 'ctid key: hash:' -- "$word") ;;
    -d | --dsn) mapfile -t COMPREPLY < <(compgen -W 'postgresql:// service= host=' -- "$word") ;;
    -h | --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") ;;
    --load) _sluice_relations "$word" ;;
    -c | --sql | -p | --port | -U | --username | --column | --where | --select | --param | --null | --order-by | --limit \
      | --offset | --timeout | --connect-timeout | --page-rows | --parallel | --partitions | --partition | --chunk-rows \
      | --buffer | --max-row | --follow | --slot) ;;
    *)
      if [[ $word != -* ]]; then
        _sluice_relations "$word"
        return
      fi
      mapfile -t COMPREPLY < <(compgen -W '--dsn --host --port --username --column --where --select --explain --sql
        --file --param --param-null --order-by --limit --offset --output --format --null --validate --load --on-error
        --follow --slot --create-slot --snapshot --state --until --transactions --reconnect --count --stats --progress
        --timeout --connect-timeout --mode --page-rows --parallel --split --partitions --partition --chunk-rows
        --buffer --max-row --version --help' -- "$word")
      ;;
  esac
}
complete -F _sluice sluice
