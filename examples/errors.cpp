// What can go wrong, how to tell the errors apart, and how to react.
//
//     errors [CONNINFO]
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>

#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>

namespace {

using namespace std::chrono_literals;

void attempt(const sluice::client& db, const char* what, const std::function<void()>& work) {
  try {
    work();
    std::printf("%s: went well\n", what);
  } catch (const sluice::error& e) {
    std::printf("%s: %s%s%s, after %llu rows, %s\n", what, std::string{to_string(e.kind())}.c_str(),
                e.sqlstate().empty() ? "" : " ", std::string{e.sqlstate()}.c_str(),
                static_cast<unsigned long long>(e.rows()),
                db.is_closed() ? "connect again" : "go on with this connection");
    if (e.server() && !e.server()->hint.empty()) std::printf("  the server's hint: %s\n", e.server()->hint.c_str());
  }
}

void read_all(sluice::client& db, const sluice::query& what, const sluice::query_options& how = {}) {
  for ([[maybe_unused]] const sluice::row each : db.stream(what, how)) {
  }
}

}  // namespace

int main(int argc, char** argv) try {
  using sluice::sql;
  sluice::client db{argc > 1 ? argv[1] : ""};

  attempt(db, "no such column", [&] { read_all(db, sql("select daat from v_user").as_document()); });
  attempt(db, "in the middle",
          [&] { read_all(db, sql("select to_json(60 / (4 - n)) from generate_series(1, 9) n").as_document()); });
  attempt(db, "too slow",
          [&] { read_all(db, sql("select to_json(pg_sleep(60)::text)").as_document(), {.timeout = 50ms}); });
  attempt(db, "again", [&] { read_all(db, sluice::from("v_user")); });  // the slow query has been cancelled by now
  attempt(db, "too large", [&] { read_all(db, sluice::from("v_user"), {.max_stream_bytes = 10'000}); });
  attempt(db, "no number", [&] {
    for (const sluice::row user : db.stream(sluice::from("v_user").limit(1))) {
      sluice::json_document document = user.json();
      const bool is_number =
          document["name"].get_int64().error() == simdjson::SUCCESS;  // simdjson reports errors as codes or exceptions
      if (!is_number) throw sluice::error{sluice::errc::bad_json, "a name is no number"};
    }
  });
  attempt(db, "misuse", [&] { read_all(db, sluice::from("")); });
} catch (const sluice::error& e) {  // no connection was made
  std::fprintf(stderr, "errors: %s%s\n", e.what(), e.retryable() ? " (another try may go well)" : "");
  return 1;
}
