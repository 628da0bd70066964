#include "options.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sluice/arrow/partitions.hpp>

#include "command_line.hpp"
#include "partition.hpp"
#include "sql_file.hpp"
#include "where.hpp"

namespace sluice::tool {

const char* const help_text = R"(sluice: stream JSON documents from Postgres as NDJSON, in constant memory
  sluice v_user --where "status = 'active' and profile.age >= 18"
  sluice -h db.example -U me -d app -c 'select ... $1' --param 42

  -d, --dsn CONNINFO     URI, key=value string or database; default: PG*
  -h, --host HOST        as psql's, as are: -p, --port PORT  -U, --username NAME
  --column NAME          the document column; default: data
  --where EXPR           a filter, evaluated by the server: see the manual page
  --select PATHS         only these fields: id,name,profile.city
  -c, --sql SQL          any statement; -f, --file FILE: from a file, - is stdin
  --param VALUE, --param-null    its $1, ...   --limit N, --offset N   as in SQL
  --order-by FIELD[:TYPE][:desc][:nullsfirst|:nullslast]
                         TYPE: text, int, numeric, bool, timestamptz or uuid
  --format ndjson|array|raw|csv|tsv|arrow     --null TEXT   in csv and tsv
  -o, --output FILE      instead of stdout    --validate    check each document
  --load RELATION [--on-error stop|skip]      the reverse: NDJSON from stdin
  --follow PUBLICATIONS --slot NAME           changes: see the manual page
  --count, --stats, --progress   numbers only; at the end, while running
  --explain, --version, --help   --partitions N, --partition DESCRIPTOR: manual
  --mode plain|paged|bulk, --page-rows N      all at once, in pages, by COPY
  --parallel N --split ctid|key:FIELD|hash:FIELD    over N connections
  --timeout 30s --connect-timeout 5s --chunk-rows N --buffer 64k --max-row 64M
Exit codes: 0 all rows, 2 usage, 3 connection, 4 auth, 5 tls, 6 protocol, 7 sql,
8 json, 9 limit, 10 timeout, 130 cancelled; 1 output cannot be written.
)";

namespace {

void add_destination(command_line& line, options& to) {
  line.option("dsn", [&](const std::string& text) { to.where_to.dsn = text; }, 'd');
  line.option("host", [&](const std::string& name) { to.where_to.host = name; }, 'h');
  line.option("port", [&](const std::string& number) { to.where_to.port = number; }, 'p');
  line.option("username", [&](const std::string& name) { to.where_to.user = name; }, 'U');
}

/// What users of psql and pg_dump try.
void add_foreign(command_line& line) {
  constexpr std::string_view no_prompt = "no password is asked for: PGPASSWORD or the password file has it";
  constexpr std::string_view needless = "leave it out: nothing but rows is written, and no start-up file is read";
  constexpr std::string_view delimited = "--format csv or tsv writes columns, with a header";
  constexpr std::string_view parameters = "--param binds $1, $2 and so on";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 42> known{{
      {"--command", "it is --sql"},
      {"--query", "it is --sql"},
      {"--dbname", "it is --dsn"},
      {"--database", "it is --dsn"},
      {"--uri", "it is --dsn"},
      {"--url", "it is --dsn"},
      {"--user", "it is --username"},
      {"--table", "a relation is named without an option"},
      {"-t",
       "leave it out: csv and tsv have a header, and other formats have only rows; a relation is named without an "
       "option"},
      {"--tuples-only", "leave it out: csv and tsv have a header, and other formats have only rows"},
      {"-A", needless},
      {"--no-align", needless},
      {"-X", needless},
      {"--no-psqlrc", needless},
      {"-q", needless},
      {"--quiet", needless},
      {"-w", no_prompt},
      {"--no-password", no_prompt},
      {"-W", no_prompt},
      {"--password", no_prompt},
      {"-F", delimited},
      {"--field-separator", delimited},
      {"--csv", "it is --format csv"},
      {"--tsv", "it is --format tsv"},
      {"--arrow", "it is --format arrow"},
      {"--ndjson", "leave it out: --format ndjson is the default"},
      {"--jsonl", "leave it out: --format ndjson is the default"},
      {"--json", "leave it out for a document a line; --format array writes a single JSON array"},
      {"-x", "leave it out: a row is an object with a name for each value"},
      {"--expanded", "leave it out: a row is an object with a name for each value"},
      {"-P", "--format and --null say how rows are written"},
      {"--pset", "--format and --null say how rows are written"},
      {"-v", parameters},
      {"--set", parameters},
      {"--variable", parameters},
      {"-1", "leave it out: a statement is a transaction"},
      {"--single-transaction", "leave it out: a statement is a transaction"},
      {"-l", "--sql 'select datname from pg_database' lists the databases"},
      {"--list", "--sql 'select datname from pg_database' lists the databases"},
      {"-j", "it is --parallel"},
      {"--jobs", "it is --parallel"},
      {"-n", "a relation is named with its schema: app.orders"},
  }};
  for (const auto& [spelling, instead] : known) line.foreign(spelling, instead);
}

void add_mode(command_line& line, options& to) {
  line.option("page-rows", [&](const std::string& text) { to.page_rows = parse_number(text); });
  line.option("mode", [&](const std::string& mode) {
    const auto found = std::ranges::find(fetch_mode_names, mode);
    if (found == fetch_mode_names.end()) throw usage_error{"'" + mode + "' is not plain, paged or bulk"};
    to.mode = static_cast<fetch_mode>(found - fetch_mode_names.begin());
  });
  constexpr std::uint32_t most_connections = 1'000;
  line.option("parallel", [&](const std::string& text) { to.connections = parse_number(text, most_connections); });
  line.option("split", [&](const std::string& text) { to.split = parse_split(text); });
  constexpr std::uint32_t most_partitions = 1'000;
  line.option("partitions", [&](const std::string& text) { to.partitions = parse_number(text, most_partitions); });
  line.option("partition", [&](const std::string& text) { to.partition = given_descriptor(text); });
}

void add_bounds(command_line& line, options& to) {
  line.option("chunk-rows", [&](const std::string& text) { to.chunk_rows = parse_number(text); });
  line.option("buffer", [&](const std::string& text) { to.buffer_bytes = parse_size(text); });
  line.option("max-row", [&](const std::string& text) { to.max_row_bytes = parse_size(text); });
  line.option("timeout", [&](const std::string& text) { to.timeout = parse_duration(text); });
  line.option("connect-timeout", [&](const std::string& text) { to.connect_timeout = parse_duration(text); });
}

void add_query(command_line& line, options& to) {
  line.rest([&](const std::string& name) {
    if (to.source) throw usage_error{"give one relation: '" + *to.source + "', or '" + name + "'"};
    to.source = name;
  });
  line.option("column", [&](const std::string& name) { to.column = name; });
  line.list("where", [&](const std::string& condition) { to.where.push_back(parse_where(condition)); });
  line.option("select", [&](const std::string& paths) { to.select = parse_select(paths); });
  line.list("order-by", [&](const std::string& key) { to.order_by.push_back(parse_sort_key(key)); });
  line.option("limit", [&](const std::string& text) { to.limit = parse_count(text); });
  line.option("offset", [&](const std::string& text) { to.offset = parse_count(text); });
  line.option("sql", [&](const std::string& sql) { to.sql = sql; }, 'c');
  line.option("file", [&](const std::string& name) { to.sql_file = name; }, 'f');
  line.list("param", [&](const std::string& value) { to.parameters.emplace_back(value); });
  line.flag("param-null", [&] { to.parameters.emplace_back(); });
}

void add_output(command_line& line, options& to) {
  line.option(
      "output",
      [&](const std::string& name) {
        if (name.empty()) throw usage_error{"the name of the file is empty"};
        if (name.starts_with('|')) throw usage_error{"no command is run here: use a pipe of the shell"};
        if (name != "-") to.output_file = name;
      },
      'o');
  line.option("format", [&](const std::string& name) {
    static constexpr std::array<std::string_view, 5> names{"ndjson", "array", "raw", "csv", "tsv"};
    to.arrow = name == "arrow";
    if (to.arrow) return;
    constexpr std::ptrdiff_t first_delimited = 3;
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) throw usage_error{"'" + name + "' is not ndjson, array, raw, csv, tsv or arrow"};
    const std::ptrdiff_t index = found - names.begin();
    if (index < first_delimited)
      to.output = static_cast<document_format>(index);
    else
      to.columns = static_cast<delimited>(index - first_delimited);
  });
  line.option("null", [&](const std::string& text) { to.null = text; });
  line.flag("validate", to.validate);
  line.flag("count", to.count);
  line.flag("explain", to.explain);
  line.flag("stats", to.stats);
  line.flag("progress", to.progress);
}

follow_options& followed(options& to) {
  if (!to.follow) to.follow.emplace();
  return *to.follow;
}

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  std::size_t at = 0;
  for (std::size_t comma = 0; comma != std::string::npos; at = comma + 1) {
    comma = list.find(',', at);
    names.push_back(list.substr(at, comma - at));
    if (names.back().empty()) throw usage_error{"'" + list + "' has an empty name in it"};
  }
  return names;
}

void add_follow(command_line& line, options& to) {
  line.option("follow", [&](const std::string& names) { followed(to).how.publications = names_in(names); });
  line.option("slot", [&](const std::string& name) { followed(to).how.slot = name; });
  line.option("create-slot", [&](const std::string& kind) {
    if (kind != "temporary" && kind != "permanent") throw usage_error{"'" + kind + "' is not temporary or permanent"};
    followed(to).how.create = kind == "temporary" ? slot_creation::temporary : slot_creation::if_missing;
  });
  line.flag("snapshot", [&] { followed(to).how.snapshot = initial_snapshot::when_created; });
  line.flag("transactions", [&] { followed(to).how.transactions = true; });
  line.flag("reconnect", [&] { followed(to).how.reconnect = true; });
  line.option("state", [&](const std::string& file) { followed(to).state = file; });
  line.option("until", [&](const std::string& end) {
    followed(to).ends_now = end == "now";
    followed(to).until = lsn::parse(end);
    if (end != "now" && !followed(to).until)
      throw usage_error{"'" + end + "' is not now, and not a position such as 0/16B3748"};
  });
}

void check_follow(const options& given, const command_line& line) {
  if (!line.has("follow")) throw usage_error{"--slot and what belongs to it are for --follow"};
  if (!line.has("slot")) throw usage_error{"--follow needs --slot: the name under which the server keeps its log"};
  if (given.source) throw usage_error{"--follow reads publications: not a relation as well"};
  if (given.output_file)
    throw usage_error{
        "--output is not for --follow: it would empty the file, and a run that resumes has to append, with >>"};
  for (const char* name :
       {"sql",        "file",   "progress", "param",    "param-null", "select",  "order-by",   "limit",
        "offset",     "format", "null",     "explain",  "stats",      "mode",    "page-rows",  "split",
        "chunk-rows", "load",   "column",   "validate", "count",      "timeout", "partitions", "partition"})
    if (line.has(name)) throw usage_error{"--" + std::string{name} + " is not for --follow"};
  if (given.connections && !line.has("snapshot"))
    throw usage_error{"--parallel reads the rows of --snapshot: give both"};
}

void add_load(command_line& line, options& to) {
  line.option("load", [&](const std::string& relation) { to.load = relation; });
  line.option("on-error", [&](const std::string& what) {
    if (what != "stop" && what != "skip") throw usage_error{"'" + what + "' is not stop or skip"};
    to.skips_errors = what == "skip";
  });
}

void check_load(const options& given, const command_line& line) {
  if (given.load->empty()) throw usage_error{"the name of the relation is empty"};
  if (given.source) throw usage_error{"--load reads standard input: not a relation as well"};
  for (const char* name : {"sql",      "file",      "output",   "param",  "param-null", "where",      "select",
                           "order-by", "limit",     "offset",   "format", "null",       "explain",    "stats",
                           "mode",     "page-rows", "parallel", "split",  "chunk-rows", "partitions", "partition"})
    if (line.has(name)) throw usage_error{"--" + std::string{name} + " is for reading: not with --load"};
}

void check_partition(const options& given, const command_line& line) {
  if (given.source || given.sql) throw usage_error{"--partition says what to read: not a relation or --sql as well"};
  for (const char* name : {"param", "param-null", "where", "select", "order-by", "limit", "offset", "parallel", "split",
                           "partitions", "column"})
    if (line.has(name)) throw usage_error{"--" + std::string{name} + " is in the descriptor: not with --partition"};
}

void check_partitions(const options& given, const command_line& line) {
  if (given.connections) throw usage_error{"--partitions is for other processes, --parallel for this one: give one"};
  if (given.sql_file == "-")
    throw usage_error{"--partitions lasts until standard input ends: --file - reads it to its end before"};
  for (const char* name : {"output", "format", "null", "validate", "count", "explain", "stats", "progress", "mode",
                           "page-rows", "chunk-rows"})
    if (line.has(name)) throw usage_error{"--" + std::string{name} + " is for those who read: with --partition"};
}

void check_arrow(const options& given) {
  if (!given.arrow) return;
  if (given.validate) throw usage_error{"--validate checks documents: not with --format arrow"};
  if (given.count) throw usage_error{"--count counts rows and writes none: not with --format arrow"};
}

void check_columns(const options& given) {
  if (given.null && !given.columns) throw usage_error{"--null is for --format csv or tsv"};
  if (!given.columns) return;
  if (given.null) check_null(*given.columns, *given.null);
  if (given.validate) throw usage_error{"--validate checks documents: not with --format csv or tsv"};
  if (given.connections) throw usage_error{"--format csv and tsv are written from one connection: not with --parallel"};
}

void check(const options& given, const command_line& line) {
  check(given.where_to);
  if (given.column && given.column->empty()) throw usage_error{"--column is empty: give the name of a column"};
  if (given.follow) return check_follow(given, line);
  if (given.load) return check_load(given, line);
  if (line.has("on-error")) throw usage_error{"--on-error is for --load"};
  if (given.partition) {
    check_partition(given, line);
    check_columns(given);
    check_arrow(given);
    return;
  }
  if (given.sql && given.source) throw usage_error{"give a relation or --sql, not both"};
  if (!given.sql && !given.source) throw usage_error{"give a relation or --sql: see --help"};
  if (given.source && given.source->empty()) throw usage_error{"the name of the relation is empty"};
  if (!given.sql && !given.parameters.empty())
    throw usage_error{"--param and --param-null bind the parameters of --sql"};
  if (given.partitions) check_partitions(given, line);
  check_columns(given);
  check_arrow(given);
  if (line.has("page-rows") && given.mode != fetch_mode::paged) throw usage_error{"--page-rows is for --mode paged"};
  if (line.has("split") && !given.connections && !given.partitions)
    throw usage_error{"--split is for --parallel and --partitions"};
  if (!given.sql) return;
  if (given.connections) throw usage_error{"--parallel divides relations, not the result of --sql"};
  for (const char* name : {"column", "where", "select", "order-by", "limit", "offset"})
    if (line.has(name))
      throw usage_error{"--" + std::string{name} + " applies to relations: with --sql, write it in the SQL"};
}

}  // namespace

options parse_options(int argc, const char* const* argv) {
  options to;
  command_line line;
  line.flag("help", to.help, '?');
  line.flag("version", to.version, 'V');
  add_destination(line, to);
  add_foreign(line);
  add_query(line, to);
  add_bounds(line, to);
  add_output(line, to);
  add_mode(line, to);
  add_load(line, to);
  add_follow(line, to);
  line.read(argc, argv);
  if (to.help || to.version) return to;
  if (to.sql && to.sql_file) throw usage_error{"give --sql or --file, not both"};
  if (to.sql_file) to.sql.emplace();  // read when everything else is right
  check(to, line);
  if (to.sql_file) to.sql = read_sql(*to.sql_file);
  if (to.sql && to.sql->find_first_not_of(" \t\n\v\f\r;") == std::string::npos)
    throw usage_error{std::string{to.sql_file ? "--file" : "--sql"} + " is empty: give a statement that returns rows"};
  return to;
}

arrow_options options::to_arrow() const noexcept {
  arrow_options how{.others = arrow_options::fallback::text};
  if (chunk_rows != 0) how.max_rows = chunk_rows;
  return how;
}

query options::to_query() const {
  if (arrow && !sql) return arrow_query(to_relation(), to_arrow());
  if (!sql) return columns ? to_relation().as_text_columns() : to_relation().build();
  query what{*sql, {parameters.begin(), parameters.end()}, query::shape::detect};
  if (arrow) return arrow_query(std::move(what), to_arrow());
  return columns ? std::move(what).as_text_columns() : what;
}

partition_read options::to_partition_read(const query_options& how) const {
  if (arrow) return arrow_partition(to_arrow(), how);
  return {.as = columns ? partition_read::rows::text_columns : partition_read::rows::documents,
          .formats = nullptr,
          .query = how};
}

relation options::to_relation() const {
  relation from{source.value()};
  if (column) from.column(*column);
  for (const predicate& condition : where) from.where(condition);
  from.select(select);
  for (const sort_key& key : order_by) from.order_by(key);
  if (limit) from.limit(*limit);
  if (offset) from.offset(*offset);
  return from;
}

split_by options::to_split() const noexcept {
  switch (split.is) {
    case split_by::kind::key: return split_by::key(split.path);
    case split_by::kind::hash: return split_by::hash(split.path);
    case split_by::kind::ctid: break;
  }
  return split_by::ctid();
}

}  // namespace sluice::tool
