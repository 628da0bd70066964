// Mirrors the tables of a publication into another database, each change exactly once: the position is stored with the
// data, in one transaction. Usage: example-mirror SOURCE TARGET PUBLICATION SLOT [until|failover]
//
// The target has the same tables. After a crash the mirror goes on where the stored position says; it begins anew with
// a snapshot when there is none, or when the source does not have the changes behind it any more. With `until` it ends
// once it has all that was in the source's log when it began. With `failover` (Postgres 17) it goes on at the standby
// that takes over: SOURCE names both servers, and has target_session_attrs=read-write.
#include <cstdio>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/single_row.hpp>

namespace {

using namespace sluice;

std::string table_of(const changed_relation& what) {
  return quote_identifier(what.schema) + '.' + quote_identifier(what.name);
}

/// A list of columns: the key's, or all but those that were not sent.
std::string columns_of(const change& of, bool of_key) {
  const std::set<std::string_view> unchanged(of.unchanged().begin(), of.unchanged().end());
  std::string list;
  for (const changed_relation::column& each : of.relation().columns)
    if (of_key ? each.is_key : !unchanged.contains(each.name))
      list += (list.empty() ? "" : ", ") + quote_identifier(each.name);
  return list;
}

/// `columns` of the row that a document tells.
std::string told(const std::string& columns, const std::string& table, std::string_view parameter) {
  return "(select " + columns + " from jsonb_populate_record(null::" + table + ", " + std::string{parameter} +
         "::jsonb))";
}

class mirror {
 public:
  explicit mirror(std::string_view target, std::string slot) : db_{target}, slot_{std::move(slot)} {
    db_.execute("create table if not exists mirrored (slot text primary key, position text not null)");
  }

  std::optional<position> stored() {
    const auto text = optional_row<std::string>(db_, sql("select position from mirrored where slot = $1", slot_));
    return text ? position::parse(std::get<0>(*text)) : std::nullopt;
  }
  void forget() { db_.execute(sql("delete from mirrored where slot = $1", slot_)); }

  /// A chunk's changes and the position behind them, in one transaction.
  void store(const change_chunk& some) {
    blocking_transaction tx = db_.begin();
    for (const change each : some) apply(tx, each);
    tx.execute(sql("insert into mirrored values ($1, $2) on conflict (slot) do update set position = $2", slot_,
                   some.last().to_string()));
    tx.commit();
  }

 private:
  void apply(blocking_transaction& tx, const change& each) {
    if (each.operation() == operation::message) return;
    const std::string table = table_of(each.relation());
    switch (each.operation()) {
      case operation::snapshot:
        if (emptied_.insert(table).second) tx.execute("truncate " + table);
        [[fallthrough]];
      case operation::insert: tx.execute(sql("insert into " + table + told("*", table, "$1"), each.text())); break;
      case operation::update: {
        const std::string columns = columns_of(each, false);
        const std::string key = columns_of(each, true);
        const std::string_view old = each.old_text().empty() ? each.text() : each.old_text();
        tx.execute(sql("update " + table + " set (" + columns + ") = " + told(columns, table, "$1") + " where (" + key +
                           ") = " + told(key, table, "$2"),
                       each.text(), old));
        break;
      }
      case operation::remove: {
        const std::string key = columns_of(each, true);
        tx.execute(sql("delete from " + table + " where (" + key + ") = " + told(key, table, "$1"), each.old_text()));
        break;
      }
      case operation::truncate: tx.execute("truncate " + table); break;
      default: break;
    }
  }

  client db_;
  std::string slot_;
  std::set<std::string> emptied_;  // tables whose snapshot has begun
};

blocking_change_stream follow_from(const char* source, change_options how, mirror& into) {
  how.from = into.stored();
  if (how.from) {
    try {
      return {source, how};
    } catch (const error& why) {
      if (why.code() != errc::position_lost) throw;
      std::fprintf(stderr, "begins anew: %s\n", why.what());
      into.forget();
    }
  }
  // Without a stored position nothing can be done with a slot that is there, and its changes. Dropping it fails if
  // another mirror uses it.
  client{source}.execute(
      sql("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1", how.slot));
  how.from.reset();
  how.create = slot_creation::if_missing;
  how.snapshot = initial_snapshot::when_created;
  return {source, how};
}

int run(const char* source, const char* target, const char* publication, const char* slot, std::string_view word) {
  const bool has_end = word == "until";
  mirror into{target, slot};
  change_options how;
  how.slot = slot;
  how.publications.emplace_back(publication);
  how.progress = true;
  how.messages = false;
  how.failover = word == "failover";
  how.reconnect = how.failover;
  blocking_change_stream changes = follow_from(source, how, into);
  const lsn end = changes.progress().server;
  lsn reached = changes.progress().received;
  try {
    while (!has_end || changes.progress().in_snapshot || reached < end) {
      const change_chunk some = changes.next();
      into.store(some);
      changes.acknowledge(some.last());
      reached = some.last().commit;
    }
  } catch (const error& why) {
    // The server that took over does not have what is here: the next time begins anew.
    if (why.code() == errc::position_lost) into.forget();
    throw;
  }
  changes.close();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 5) {
    std::fputs("usage: example-mirror SOURCE TARGET PUBLICATION SLOT [until|failover]\n", stderr);
    return 2;
  }
  return run(argv[1], argv[2], argv[3], argv[4], argc > 5 ? argv[5] : "");
} catch (const std::exception& e) {
  std::fprintf(stderr, "example-mirror: %s\n", e.what());
  return 1;
}
