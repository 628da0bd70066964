// Keeps a search index the same as the tables of a publication, over HTTP: the bulk protocol of Elasticsearch,
// OpenSearch and what is compatible with them. Usage: example-search_index SOURCE PUBLICATION SLOT HOST PORT [until]
//
// A document has the id of its row, so a change that is sent twice after a crash does no harm, and nothing has to be
// kept but the slot: a chunk is acknowledged once the index has taken it. The rows that are there already come first.
// With `until` it ends once it has all that was in the source's log when it began.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <simdjson.h>

#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/wire/asio_errors.hpp>

namespace {

using namespace sluice;

class search_index {
 public:
  search_index(std::string host, std::string port) : host_{std::move(host)}, port_{std::move(port)} {}

  /// One request for all changes of a chunk; a truncated table's documents are deleted at their place among them.
  void take(const change_chunk& some) {
    for (const change each : some) add(each);
    flush();
  }

 private:
  void add(const change& each) {
    switch (each.operation()) {
      case operation::snapshot:
      case operation::insert: return put("index", each, each.text(), each.text());
      case operation::update:
        if (each.old_is_key()) put("delete", each, each.old_text(), {});  // the row has another key now
        if (each.unchanged().empty()) return put("index", each, each.text(), each.text());
        // Only the members that are told change: long values that were not touched are not sent.
        return put("update", each, each.text(), "{\"doc\":" + std::string{each.text()} + '}');
      case operation::remove: return put("delete", each, each.old_text(), {});
      case operation::truncate:
        flush();
        post('/' + each.relation().name + "/_delete_by_query", R"({"query":{"match_all":{}}})");
        return;
      default: return;
    }
  }

  /// Two lines: what to do with which row's document, and the document if there is one.
  void put(std::string_view what, const change& each, std::string_view row, std::string_view document) {
    actions_ += "{\"" + std::string{what} + "\":{\"_index\":" + quoted(each.relation().name) +
                ",\"_id\":" + quoted(key_of(each.relation(), row)) + "}}\n";
    if (!document.empty()) actions_.append(document) += '\n';
  }

  /// The members of the key, as JSON, with commas between them.
  std::string key_of(const changed_relation& of, std::string_view row) {
    const simdjson::padded_string padded{row};
    simdjson::ondemand::document members = parser_.iterate(padded);
    std::string key;
    for (const changed_relation::column& each : of.columns)
      if (each.is_key) key += (key.empty() ? "" : ",") + std::string{members[each.name].raw_json_token().value()};
    if (key.empty()) throw std::runtime_error{of.qualified_name() + " has no key"};
    return key;
  }
  static std::string quoted(std::string_view text) {
    std::string json{'"'};
    for (const char c : text) json += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    return json + '"';
  }

  void flush() {
    if (actions_.empty()) return;
    const std::string answer = post("/_bulk", actions_);
    if (answer.find("\"errors\":false") == answer.npos) throw std::runtime_error{"the index refused: " + answer};
    actions_.clear();
  }

  std::string post(const std::string& path, const std::string& body) {
    asio::io_context context;
    asio::ip::tcp::socket socket{context};
    asio::connect(socket, asio::ip::tcp::resolver{context}.resolve(host_, port_));
    asio::write(socket, asio::buffer("POST " + path + " HTTP/1.0\r\nHost: " + host_ +
                                     "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
                                     std::to_string(body.size()) + "\r\n\r\n" + body));
    std::string answer;
    sluice::wire::asio_code why;
    asio::read(socket, asio::dynamic_buffer(answer), why);
    if (why != asio::error::eof) throw sluice::wire::asio_failure{why};
    const std::string_view status = std::string_view{answer}.substr(0, answer.find('\r'));
    if (status.find(" 200 ") == status.npos) throw std::runtime_error{"the index answered: " + std::string{status}};
    return answer;
  }

  std::string host_;
  std::string port_;
  std::string actions_{};
  simdjson::ondemand::parser parser_{};
};

int run(const char* source, const char* publication, const char* slot, search_index into, bool has_end) {
  change_options how;
  how.slot = slot;
  how.publications.emplace_back(publication);
  how.create = slot_creation::if_missing;
  how.snapshot = initial_snapshot::when_created;
  how.progress = has_end;
  how.messages = false;
  blocking_change_stream changes{source, how};
  const lsn end = changes.progress().server;
  lsn reached = changes.progress().received;
  while (!has_end || changes.progress().in_snapshot || reached < end) {
    const change_chunk some = changes.next();
    into.take(some);
    changes.acknowledge(some.last());
    reached = some.last().commit;
  }
  changes.close();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 6) {
    std::fputs("usage: example-search_index SOURCE PUBLICATION SLOT HOST PORT [until]\n", stderr);
    return 2;
  }
  return run(argv[1], argv[2], argv[3], search_index{argv[4], argv[5]}, argc > 6);
} catch (const std::exception& e) {
  std::fprintf(stderr, "example-search_index: %s\n", e.what());
  return 1;
}
