#include "options.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>

#include "where.hpp"

namespace sluice::tool {

const char* const help_text = R"(sluice: stream JSON documents from Postgres as NDJSON, in constant memory

  sluice v_user --where "status = 'active' and profile.age >= 18"
  sluice app.v_user --select id,name --order-by age:int:desc --limit 10
  sluice -d postgresql://me@db.example/app --sql 'select ... $1' --param 42

  -d, --dsn CONNINFO     URI or key=value string; else the PG* variables
  --column NAME          the document column (data)
  --where EXPR           a filter, evaluated by the server: docs/predicates.md
  --select PATHS         only these fields: id,name,profile.city
  --explain              print the SQL and what stays on the client, and stop
  --sql SQL              any query; --param VALUE binds $1, $2, ... in turn
  --order-by FIELD[:int|numeric|bool][:desc][:nullsfirst|nullslast]
  --limit N, --offset N
  --format ndjson|array|raw     --validate   check each document in full
  --count                print {"rows":...,"bytes":...} instead of the rows
  --stats, --progress    how it went, how it goes: on standard error
  --timeout 30s, --connect-timeout 500ms
  --mode plain|paged|bulk, --page-rows N    at once, from a portal, by COPY
  --parallel N --split ctid|key:FIELD|hash:FIELD    over N connections at once
  --chunk-rows N, --buffer 64k, --max-row 64M       bounds   --version, --help

Exit codes: 0 all rows, 2 usage, 3 connection, 4 auth, 5 tls, 6 protocol, 7 sql,
8 json, 9 limit, 10 timeout, 130 cancelled; 1 the output cannot be written.
)";

namespace {

void add_mode(CLI::App& app, options& to) {
  app.add_option("--page-rows", to.page_rows)->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()));
  app.add_option_function<std::string>("--mode", [&](const std::string& mode) {
    const auto found = std::ranges::find(fetch_mode_names, mode);
    if (found == fetch_mode_names.end()) throw usage_error{"--mode is plain, paged or bulk"};
    to.mode = static_cast<fetch_mode>(found - fetch_mode_names.begin());
  });
  app.add_option("--parallel", to.connections)->check(CLI::Range(1U, 1'000U));
  app.add_option_function<std::string>("--split", [&](const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string how = text.substr(0, colon);
    to.split_field = colon == text.npos ? "" : text.substr(colon + 1);
    if (how == "ctid" && colon == text.npos)
      to.split = split_by::kind::ctid;
    else if (how == "key" && !to.split_field.empty())
      to.split = split_by::kind::key;
    else if (how == "hash" && !to.split_field.empty())
      to.split = split_by::kind::hash;
    else
      throw usage_error{"--split is ctid, key:FIELD or hash:FIELD"};
  });
}

void add_bounds(CLI::App& app, options& to) {
  app.add_option("--chunk-rows", to.chunk_rows)->check(CLI::PositiveNumber);
  app.add_option_function<std::string>("--buffer",
                                       [&](const std::string& text) { to.buffer_bytes = parse_size(text); });
  app.add_option_function<std::string>("--max-row",
                                       [&](const std::string& text) { to.max_row_bytes = parse_size(text); });
  app.add_option_function<std::string>("--timeout",
                                       [&](const std::string& text) { to.timeout = parse_duration(text); });
  app.add_option_function<std::string>("--connect-timeout",
                                       [&](const std::string& text) { to.connect_timeout = parse_duration(text); });
}

void add_query(CLI::App& app, options& to) {
  app.add_option("source", to.source);
  app.add_option("--column", to.column);
  app.add_option_function<std::vector<std::string>>("--where",
                                                    [&](const std::vector<std::string>& conditions) {
                                                      for (const std::string& each : conditions)
                                                        to.where.push_back(parse_where(each));
                                                    })
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option_function<std::string>("--select", [&](const std::string& paths) { to.select = parse_select(paths); });
  app.add_option_function<std::vector<std::string>>("--order-by",
                                                    [&](const std::vector<std::string>& keys) {
                                                      for (const std::string& key : keys)
                                                        to.order_by.push_back(parse_sort_key(key));
                                                    })
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option_function<std::string>("--limit", [&](const std::string& text) { to.limit = parse_count(text); });
  app.add_option_function<std::string>("--offset", [&](const std::string& text) { to.offset = parse_count(text); });
  app.add_option("--sql", to.sql);
  app.add_option("--param", to.parameters)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void check(const options& given, const CLI::App& app) {
  const bool sql = app.count("--sql") != 0;
  const bool source = app.count("source") != 0;
  if (sql && source) throw usage_error{"give a relation or --sql, not both"};
  if (!sql && !source) throw usage_error{"give a relation or --sql: see --help"};
  if (!sql && !given.parameters.empty()) throw usage_error{"--param binds the parameters of --sql"};
  if (app.count("--page-rows") != 0 && given.mode != fetch_mode::paged)
    throw usage_error{"--page-rows is for --mode paged"};
  if (app.count("--split") != 0 && !given.connections) throw usage_error{"--split is for --parallel"};
  if (sql && given.connections) throw usage_error{"--parallel divides relations: it knows nothing of the SQL given"};
  for (const char* name : {"--column", "--where", "--select", "--order-by", "--limit", "--offset"})
    if (sql && app.count(name) != 0) throw usage_error{std::string{name} + " is for relations: write it into the SQL"};
}

}  // namespace

options parse_options(int argc, const char* const* argv) {
  options to;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", to.help);
  app.add_flag("--version", to.version);
  app.add_option("-d,--dsn", to.dsn);
  add_query(app, to);
  add_bounds(app, to);
  const std::map<std::string, document_format> formats{
      {"ndjson", document_format::ndjson}, {"array", document_format::array}, {"raw", document_format::raw}};
  app.add_option_function<std::string>("--format", [&](const std::string& name) {
    const auto found = formats.find(name);
    if (found == formats.end()) throw usage_error{"--format is ndjson, array or raw"};
    to.output = found->second;
  });
  app.add_flag("--validate", to.validate);
  app.add_flag("--count", to.count);
  app.add_flag("--explain", to.explain);
  app.add_flag("--stats", to.stats);
  app.add_flag("--progress", to.progress);
  add_mode(app, to);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    throw usage_error{e.what()};
  }
  if (!to.help && !to.version) check(to, app);
  return to;
}

query options::to_query() const {
  if (!sql.empty()) {
    std::vector<bind_value> values(parameters.begin(), parameters.end());
    return {sql, std::move(values), query::shape::detect};
  }
  return to_relation().build();
}

relation options::to_relation() const {
  relation from{source};
  from.column(column);
  for (const predicate& condition : where) from.where(condition);
  from.select(select);
  for (const sort_key& key : order_by) from.order_by(key);
  if (limit) from.limit(*limit);
  if (offset) from.offset(*offset);
  return from;
}

split_by options::to_split() const noexcept {
  switch (split) {
    case split_by::kind::key: return split_by::key(split_field);
    case split_by::kind::hash: return split_by::hash(split_field);
    case split_by::kind::ctid: break;
  }
  return split_by::ctid();
}

}  // namespace sluice::tool
