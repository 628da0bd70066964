#pragma once
// Change streams in tests: a publication and its slot, and what a stream tells, as texts.
#include <sluice/stream/changes.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cluster.hpp"
#include "faces.hpp"

namespace sluice::test {

/// Of the server, as 150004.
inline int server_version() { return std::stoi(psql("show server_version_num")); }

/// A schema with tables, a publication of them and the name of a slot; all of it is dropped at the end.
class published {
 public:
  explicit published(std::string name, const std::string& tables = "create table t (id int primary key, v text)",
                     const std::string& with = "")
      : name_{std::move(name)} {
    psql("drop schema if exists " + name_ + " cascade; create schema " + name_ + "; set search_path = " + name_ + "; " +
         tables + "; create publication " + name_ +
         (has_schemas_ ? " for tables in schema " + name_ + with : with + "; " + publish_tables()));
  }
  ~published() {
    psql("drop publication if exists " + name_ + "; drop schema if exists " + name_ + " cascade; " +
         "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = '" + name_ +
         "' and active_pid is not null");
    psql("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '" + name_ + "'");
  }
  published(const published&) = delete;
  published& operator=(const published&) = delete;

  /// A slot that stays.
  [[nodiscard]] change_options kept() const {
    change_options how;
    how.slot = name_;
    how.publications.push_back(name_);
    how.create = slot_creation::if_missing;
    return how;
  }
  /// A slot of this connection alone.
  [[nodiscard]] change_options passing() const {
    change_options how = kept();
    how.create = slot_creation::temporary;
    return how;
  }
  /// Tables that they create are published as well; before Postgres 15, from the end of the statements on.
  void run(const std::string& statements) const {
    const bool adds_tables = !has_schemas_ && statements.find("create table") != std::string::npos;
    psql("set search_path = " + name_ + "; " + statements + (adds_tables ? "; " + publish_tables() : ""));
  }
  [[nodiscard]] std::string ask(const std::string& question) const {
    return psql("set search_path = " + name_ + "; " + question);
  }
  [[nodiscard]] std::string slot(const std::string& column) const {
    return psql("select " + column + " from pg_replication_slots where slot_name = '" + name_ + "'");
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  /// One by one, where a publication cannot be of a schema.
  [[nodiscard]] std::string publish_tables() const {
    return "do $publish$ declare t text; begin for t in select c.oid::regclass from pg_class c where relnamespace = '" +
           name_ + "'::regnamespace and relkind in ('r', 'p') and not relispartition and not exists (select from" +
           " pg_publication_rel join pg_publication p on p.oid = prpubid where pubname = '" + name_ +
           "' and prrelid = c.oid) loop execute 'alter publication " + name_ +
           " add table ' || t; end loop; end $publish$";
  }

  std::string name_;
  bool has_schemas_{server_version() >= 150000};
};

/// A change as one line.
template <class Change>
std::string line_of(const Change& each) {
  std::string line{to_string(each.operation())};
  switch (each.operation()) {
    case operation::begin:
    case operation::commit:
    case operation::prepare:
    case operation::commit_prepared:
    case operation::rollback_prepared:
    case operation::abort: return line;
    case operation::message: return line + ' ' + std::string{each.prefix()} + '=' + std::string{each.text()};
    default: break;
  }
  line += ' ' + each.relation().name;
  if (!each.old_text().empty()) line += (each.old_is_key() ? " key " : " old ") + std::string{each.old_text()};
  if (!each.text().empty()) line += ' ' + std::string{each.text()};
  for (const std::string_view name : each.unchanged()) line += " -" + std::string{name};
  return line;
}

/// The next changes, acknowledged.
inline std::vector<std::string> take(blocking_change_stream& from, std::size_t count) {
  std::vector<std::string> seen;
  while (seen.size() < count) {
    const change_chunk some = from.next();
    for (const change each : some) seen.push_back(line_of(each));
    from.acknowledge(some.last());
  }
  return seen;
}

}  // namespace sluice::test
