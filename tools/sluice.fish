# Completion of sluice for fish.

# Relations of the database that the line names, from the server. Nothing where it does not answer within a second.
# With casts, so that no operator of a schema on the search_path is a better match than those of pg_catalog.
function __sluice_relations
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l to
    set -l takes_value ''
    for word in $words[2..-1]
        # A variable is replaced, nothing is run.
        if string match -qr '^\$[A-Za-z_][A-Za-z0-9_]*$' -- $word
            set -l name (string sub -s 2 -- $word)
            set word $$name
        end
        if test -n "$takes_value"
            set -a to $takes_value "$word"
            set takes_value ''
        else if contains -- $word -d --dsn -h --host -p --port -U --username
            set takes_value $word
        else if string match -qr '^(-[dhpU].|--(dsn|host|port|username)=)' -- $word
            set -a to $word
        end
    end
    set -l ask (string replace -r '^~/' $HOME/ -- $words[1]) $to --connect-timeout 500ms --timeout 500ms \
        --format tsv --param "$typed" --sql "select name from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
      lateral (select case when strpos(\$1::text, '.') = 0 and pg_catalog.pg_table_is_visible(c.oid) then '' else
      n.nspname::text || '.' end || c.relname::text) as named (name) where c.relkind in ('r', 'v', 'm', 'f', 'p')
      and not c.relispartition and (left(\$1, 3) = 'pg_' or left(n.nspname::text, 3) <> 'pg_')
      and n.nspname::text <> 'information_schema' and strpos(n.nspname::text || c.relname::text, '.') = 0
      and left(name, length(\$1)) = \$1 order by name limit 1000"
    if command -sq timeout
        set ask timeout -k 0.1 1 $ask
    end
    # A name with anything else in it, which the shell might obey, is left out.
    command $ask 2>/dev/null </dev/null | tail -n +2 | string match -r '^[\w.]+$'
end

complete -c sluice -f -a '(__sluice_relations)' -d relation
complete -c sluice -s d -l dsn -x -a 'postgresql:// service= host=' -d 'where to connect'
complete -c sluice -s h -l host -x -a '(__fish_print_hostnames)' -d 'the server'
complete -c sluice -s p -l port -x -d 'its port'
complete -c sluice -s U -l username -x -d 'who connects'
complete -c sluice -l column -x -d 'the document column'
complete -c sluice -l where -x -d 'a filter'
complete -c sluice -l select -x -d 'only these fields'
complete -c sluice -l explain -d 'print the SQL and what the client evaluates'
complete -c sluice -s c -l sql -x -d 'any query'
complete -c sluice -s f -l file -rF -d 'a query in a file'
complete -c sluice -l param -x -d 'binds $1, $2, ... in order'
complete -c sluice -l param-null -d 'binds NULL'
complete -c sluice -l order-by -x -d 'a sort key'
complete -c sluice -l limit -x -d 'the most rows to read'
complete -c sluice -l offset -x -d 'rows to skip'
complete -c sluice -s o -l output -rF -d 'written instead of standard output'
complete -c sluice -l format -x -a 'ndjson array raw csv tsv arrow' -d 'how rows are written'
complete -c sluice -l null -x -d 'NULL in csv and tsv'
complete -c sluice -l validate -d 'check each document in full'
complete -c sluice -l load -x -a '(__sluice_relations)' -d 'loads NDJSON from standard input'
complete -c sluice -l on-error -x -a 'stop skip' -d 'what to do about a line that is not JSON'
complete -c sluice -l follow -x -d 'writes changes as they are committed'
complete -c sluice -l slot -x -d 'the replication slot'
complete -c sluice -l create-slot -x -a 'temporary permanent' -d 'creates the slot'
complete -c sluice -l snapshot -d 'the rows that are there come first'
complete -c sluice -l state -rF -d 'keeps the position'
complete -c sluice -l until -x -a now -d 'where to end'
complete -c sluice -l transactions -d 'tells begin and commit'
complete -c sluice -l reconnect -d 'goes on after the connection was lost'
complete -c sluice -l count -d 'print counts instead of the rows'
complete -c sluice -l stats -d 'statistics at the end, on standard error'
complete -c sluice -l progress -d 'progress while running, on standard error'
complete -c sluice -l timeout -x -d 'for the whole run'
complete -c sluice -l connect-timeout -x -d 'for connecting'
complete -c sluice -l mode -x -a 'plain paged bulk' -d 'how rows are fetched'
complete -c sluice -l page-rows -x -d 'rows per page'
complete -c sluice -l parallel -x -d 'read over several connections'
complete -c sluice -l split -x -a 'ctid key: hash:' -d 'how the relation is divided'
complete -c sluice -l partitions -x -d 'print descriptors for other processes'
complete -c sluice -l partition -x -d 'read one partition'
complete -c sluice -l chunk-rows -x -d 'rows per write'
complete -c sluice -l buffer -x -d 'the receive buffer'
complete -c sluice -l max-row -x -d 'the largest row'
complete -c sluice -s V -l version -d 'print the version'
complete -c sluice -s '?' -l help -d 'print the options'
