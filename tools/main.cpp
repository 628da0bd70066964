// The `sluice` command: writes documents of a relation or query to standard output as NDJSON.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <sluice/arrow/ipc.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/stream/json.hpp>
#include "transport/printable.hpp"

#include "destination.hpp"
#include "follow.hpp"
#include "load.hpp"
#include "options.hpp"
#include "output.hpp"
#include "partition.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace {

using namespace sluice;
using namespace sluice::tool;

/// What is currently waiting for the server; signals interrupt it.
struct interruptible {
  void* what;
  void (*interrupt)(void* what) noexcept;
};
std::atomic<const interruptible*> waiting{nullptr};
volatile std::sig_atomic_t interrupted = 0;
constexpr int cancelled_exit = 130;
constexpr int output_exit = 1;

extern "C" void on_signal(int) {
  if (interrupted != 0) ::_exit(cancelled_exit);  // second signal
  interrupted = 1;
  const interruptible* const now = waiting.load();
  if (now == nullptr) ::_exit(cancelled_exit);  // not connected: there is nothing to cancel
  now->interrupt(now->what);
}

void catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART: a stalled write must end, too
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
}

/// If a standard descriptor were closed, the next socket would get its number, and documents and messages would go to
/// the server.
/// @return whether there is a standard output
bool fill_descriptors() {
  const bool has_output = ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(each, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);  // takes the lowest free number
  return has_output;
}

/// Signals reach its target for as long as this lives.
template <class Interruptible>
class interrupted_by_signals {
 public:
  explicit interrupted_by_signals(Interruptible& what)
      : it_{&what, [](void* each) noexcept { static_cast<Interruptible*>(each)->interrupt(); }} {
    waiting.store(&it_);
  }
  ~interrupted_by_signals() { waiting.store(nullptr); }
  interrupted_by_signals(const interrupted_by_signals&) = delete;
  interrupted_by_signals& operator=(const interrupted_by_signals&) = delete;

 private:
  interruptible it_;
};

struct totals {
  std::uint64_t rows{0};
  std::uint64_t bytes{0};
};

parallel_progress parts_of(const row_range& /*rows*/) { return {}; }
parallel_progress parts_of(const partition_range& /*rows*/) { return {}; }
parallel_progress parts_of(const parallel_range& rows) { return rows.progress(); }

std::span<const result_column> columns_of(const row_range& rows) { return rows.columns(); }
std::span<const result_column> columns_of(const partition_range& rows) { return rows.columns(); }
std::span<const result_column> columns_of(const parallel_range& /*rows*/) { return {}; }

output output_for(const options& given) {
  if (!given.columns) return output{given.output};
  return {*given.columns, given.null.value_or(std::string{default_null(*given.columns)})};
}

/// Of the document, or of all columns.
std::size_t bytes_of(const row& each, const options& given) {
  if (!given.columns) return each.text().size();
  std::size_t bytes = 0;
  for (const binary_field& field : each.fields()) bytes += field.bytes.size();
  return bytes;
}

/// Also without being asked for, where a terminal would otherwise show nothing.
/// @param busy  where the documents go, or come from
bool shows_progress(const options& given, int busy) {
  return given.progress || (::isatty(STDERR_FILENO) == 1 && ::isatty(busy) == 0);
}

/// Reads all rows and writes them, or only counts them.
template <class Rows>
void pump(Rows& rows, const options& given, totals& so_far) {
  progress line{shows_progress(given, STDOUT_FILENO)};
  std::optional<json_validator> checked;
  if (given.validate) checked.emplace();
  output to = output_for(given);
  const auto write = [&](const chunk& batch) {
    std::size_t in_chunk = 0;
    for (const row document : batch) {
      so_far.bytes += bytes_of(document, given);
      ++so_far.rows;
      if (checked) checked->check(document, so_far.rows);
      if (given.count) continue;
      to.write(document);
      if (++in_chunk == given.chunk_rows) {
        to.flush();
        in_chunk = 0;
      }
    }
  };
  while (const chunk batch = rows.next()) {
    if (interrupted != 0) throw error{errc::cancelled, "interrupted"};
    try {
      write(batch);
    } catch (const error&) {  // a document that is not JSON: those before it are still written
      to.flush();
      throw;
    }
    to.flush();
    line.update(so_far.rows, so_far.bytes, parts_of(rows));
  }
  if (!given.count) to.finish(columns_of(rows));
  line.finish(so_far.rows, so_far.bytes, parts_of(rows));
}

/// Reads all rows and writes them as an Arrow stream.
template <class Rows>
void pump_arrow(Rows& rows, const options& given, totals& so_far) {
  progress line{shows_progress(given, STDOUT_FILENO)};
  detail::batch_assembly made{given.to_arrow()};
  const auto read = [&] {
    if (interrupted != 0) throw error{errc::cancelled, "interrupted"};
    try {
      const chunk some = rows.next();
      made.take(some, rows.columns());
    } catch (const error&) {  // the rows before it are still written
      made.fail(std::current_exception());
    }
  };
  while (!made.is_known() && made.is_hungry()) read();
  const arrow_schema schema = made.schema();
  arrow_ipc_writer to{schema.schema()};
  for (;;) {
    while (made.is_hungry()) read();
    const arrow_batch batch = made.next();
    if (!batch) break;
    to.add(batch.array());
    write_bytes(to.bytes());
    so_far.rows += batch.rows();
    so_far.bytes = rows.stats().bytes;
    line.update(so_far.rows, so_far.bytes, parts_of(rows));
  }
  to.finish();
  write_bytes(to.bytes());
  line.finish(so_far.rows, so_far.bytes, parts_of(rows));
}

/// The whole run, including what is reported at its end, however it ends.
template <class Rows, class Statistics>
void run(Rows& rows, const options& given, const Statistics& statistics) {
  totals so_far;
  try {
    if (given.arrow)
      pump_arrow(rows, given, so_far);
    else
      pump(rows, given, so_far);
  } catch (const reader_gone&) {
    (void)rows.cancel();
    statistics();
    return;
  } catch (const output_interrupted&) {
    (void)rows.cancel();
    statistics();
    throw error{errc::cancelled, "interrupted"};
  } catch (...) {
    (void)rows.cancel();  // cancel on the server first
    statistics();
    throw;
  }
  statistics();
  if (given.count)
    write_output("{\"rows\":" + std::to_string(so_far.rows) + ",\"bytes\":" + std::to_string(so_far.bytes) + "}\n");
}

using clock_type = std::chrono::steady_clock;
std::chrono::microseconds since(clock_type::time_point began) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock_type::now() - began);
}

/// Shows the server's notices as they arrive, including those of the login and of every connection, and keeps the text
/// of the last query: a relation without documents is asked a second time, for its columns.
class watcher final : public observer {
 public:
  void on_query(const query_event& event) noexcept override {
    try {
      last_query_ = event.text;
    } catch (const std::bad_alloc&) {
      last_query_.clear();
    }
  }
  [[nodiscard]] const std::string& last_query() const noexcept { return last_query_; }

  void on_notice(const server_message& notice) noexcept override {
    try {
      std::fputs(notice_text(notice).c_str(), stderr);
    } catch (const std::bad_alloc&) {  // it is not shown
    }
  }

 private:
  std::string last_query_;
};

/// Reads what `begin` opens on a connection.
template <class Begin>
void stream_on_one(const conninfo& where, const connection_options& bounds, const options& given, const Begin& begin) {
  const auto began = clock_type::now();
  client db{where, bounds};
  const auto connecting = since(began);
  const interrupted_by_signals signals{db};
  auto rows = begin(db);
  run(rows, given, [&] {
    if (!given.stats) return;
    const session_facts facts{connecting, given.mode, db.tls_version(), db.parameter("server_version")};
    std::fputs(stats_json(rows.stats(), facts).c_str(), stderr);
  });
}

void stream_query(const conninfo& where, const connection_options& bounds, const query_options& how,
                  const options& given) {
  const query what = given.to_query();
  stream_on_one(where, bounds, given, [&](client& db) { return db.stream(what, how); });
}

void stream_partition(const conninfo& where, const connection_options& bounds, const query_options& how,
                      const options& given) {
  const std::string& descriptor = given.partition.value();
  (void)explain_partition(descriptor);  // a damaged one needs no server
  stream_on_one(where, bounds, given,
                [&](client& db) { return open_partition(db, descriptor, given.to_partition_read(how)); });
}

/// The first signal cancels the query on the server, the second one ends the command, as in all modes.
std::string explained_on_many(const conninfo& where, const options& given, const parallel_options& how) {
  asio::cancellation_signal stop;
  asio::io_context context;
  asio::signal_set signals{context, SIGINT, SIGTERM};
  signals.async_wait([&stop](std::error_code ended, int /*which*/) {
    if (ended) return;
    interrupted = 1;
    catch_signals();
    stop.emit(asio::cancellation_type::terminal);
  });
  std::exception_ptr failure;
  std::string text;
  bool is_done = false;
  asio::co_spawn(context, explain_in_parallel(where, given.to_relation(), how),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, std::string told) {
                   failure = std::move(thrown);
                   text = std::move(told);
                   is_done = true;
                 }));
  while (!is_done) context.run_one();  // not run(): that would also wait for a name lookup that is still in progress
  if (failure) std::rethrow_exception(failure);
  return text;
}

void stream_on_many(const conninfo& where, const connection_options& bounds, const query_options& how,
                    const options& given) {
  const auto began = clock_type::now();
  const parallel_options in_parallel{
      .split = given.to_split(), .connections = *given.connections, .query = how, .connection = bounds};
  if (given.explain) {
    const std::string text = explained_on_many(where, given, in_parallel);
    catch_signals();  // Asio has replaced the handlers
    write_output(printable_document(text));
    return;
  }
  relation what = given.to_relation();
  if (given.arrow) what = arrow_relation(std::move(what), given.to_arrow());
  parallel_range rows{where, what, in_parallel};
  const interrupted_by_signals signals{rows};
  run(rows, given, [&] {
    if (given.stats) std::fputs(stats_json(rows.stats(), given.mode, rows.progress(), since(began)).c_str(), stderr);
  });
}

void divide(const conninfo& where, const connection_options& bounds, const query_options& how, const options& given) {
  const partition_options wanted{
      .count = *given.partitions, .split = given.to_split(), .query = how, .connection = bounds};
  blocking_partitions parts = given.sql ? blocking_partitions{where, given.to_query(), wanted}
                                        : blocking_partitions{where, given.to_relation(), wanted};
  hold_partitions(parts, [] { return interrupted != 0; });
}

/// Documents from standard input into a relation.
void load_into(const conninfo& where, const connection_options& bounds, query_options how, const options& given) {
  client db{where, bounds};
  const interrupted_by_signals signals{db};
  how.mode = fetch_mode::plain;
  const load_options wanted{.relation = given.load.value(),
                            .column = given.column.value_or("data"),
                            .validates = given.validate,
                            .skips_errors = given.skips_errors,
                            .longest_line = bounds.max_row_bytes,
                            .how = how};
  progress line{shows_progress(given, STDIN_FILENO)};
  std::uint64_t skipped = 0;
  const auto report = [&](std::uint64_t number, const std::string& what) {
    ++skipped;
    std::fprintf(stderr, "sluice: skipped: line %llu %s\n", static_cast<unsigned long long>(number),
                 printable(what).c_str());
  };
  const auto note = [&](const loaded& so_far) {
    if (interrupted != 0) throw error{errc::cancelled, "interrupted"};
    line.update(so_far.rows, so_far.bytes, {});
  };
  loaded done;
  try {
    done = load(db, STDIN_FILENO, wanted, report, note);
  } catch (const error& failure) {
    if (failure.server() && skipped != 0)
      std::fprintf(stderr, "sluice: the server's line numbers leave out the %llu skipped lines\n",
                   static_cast<unsigned long long>(skipped));
    throw;
  }
  line.finish(done.rows, done.bytes, {});
  if (given.count)
    write_output("{\"rows\":" + std::to_string(done.rows) + ",\"bytes\":" + std::to_string(done.bytes) +
                 ",\"skipped\":" + std::to_string(done.skipped) + "}\n");
}

void follow_changes(const conninfo& where, const connection_options& bounds, const options& given) {
  follow_options wanted = given.follow.value();
  wanted.how.snapshot_connections = given.connections.value_or(1);
  wanted.how.connection = bounds;
  if (!given.where.empty()) wanted.how.where = all_of(given.where);
  std::optional<interrupted_by_signals<blocking_change_stream>> signals;
  const auto begun = [&](blocking_change_stream* changes) {
    signals.reset();
    if (changes != nullptr) signals.emplace(*changes);
  };
  follow(where, wanted, begun, [] { return interrupted != 0; });
}

constexpr std::string_view no_such_column{"42703"};
constexpr std::string_view no_such_operator{"42883"};

/// Whether the relation has a column `data`: documents are read from it, or objects are made of all columns.
std::string explained_undeclared(const conninfo& where, const connection_options& bounds, const options& given) {
  relation asked = given.to_relation();
  std::optional<client> db;
  try {
    db.emplace(where, bounds);
  } catch (const error& failure) {
    std::fprintf(stderr, "sluice: warning: no server says which of the two it is: %s\n",
                 printable(failure.what()).c_str());
    return asked.build().explain();
  }
  const interrupted_by_signals signals{*db};
  try {
    relation documents{given.source.value()};
    for ([[maybe_unused]] const row each : db->stream(documents.column("data").limit(0))) continue;
    return asked.column("data").build().explain();
  } catch (const error& failure) {
    if (failure.sqlstate() != no_such_column) throw;
    return asked.of_columns().build().explain();
  }
}

void stream(const options& given, watcher& watch) {
  if (given.partition && given.explain) {
    write_output(printable_document(explain_partition(*given.partition)));
    return;
  }
  const bool explains_one = given.explain && !given.connections;
  if (!given.load && !given.follow && !given.partitions && explains_one && given.to_query().undeclared() == nullptr) {
    write_output(printable_document(given.to_query().explain()));
    return;
  }
  conninfo where = to_conninfo(given.where_to);
  if (given.connect_timeout) where.connect_timeout = *given.connect_timeout;
  for (const std::string& warning : where.warnings)
    std::fprintf(stderr, "sluice: warning: %s\n", printable(warning).c_str());
  connection_options bounds{.leave_timeout = std::chrono::seconds{1},  // a cancelled command should end soon
                            .watch = &watch};
  if (given.buffer_bytes) bounds.buffer_bytes = *given.buffer_bytes;
  if (given.max_row_bytes) bounds.max_row_bytes = *given.max_row_bytes;
  const query_options how{
      .timeout = given.timeout, .timeout_counts_pauses = true, .mode = given.mode, .page_rows = given.page_rows};
  if (given.arrow && ::isatty(STDOUT_FILENO) == 1)
    throw usage_error{"--format arrow is not for a terminal: write it to a file or a pipe"};
  if (given.follow)
    follow_changes(where, bounds, given);
  else if (given.load)
    load_into(where, bounds, how, given);
  else if (given.connections)
    stream_on_many(where, bounds, how, given);
  else if (explains_one)
    write_output(printable_document(explained_undeclared(where, bounds, given)));
  else if (given.partitions)
    divide(where, bounds, how, given);
  else if (given.partition)
    stream_partition(where, bounds, how, given);
  else
    stream_query(where, bounds, how, given);
}

/// What to do about a failure, in terms of the command's options.
std::string advice(const error& failure, const options& given) {
  const bool is_documents = failure.sqlstate() == no_such_column && given.column &&
                            failure.server()->message.find(*given.column) != std::string::npos;
  if (is_documents)
    return "HINT: documents are read from the column '" + printable(*given.column) +
           "', because --column says so; without it, a relation that has no column 'data' is read by its columns\n";
  if (failure.code() == errc::row_too_large) return "HINT: --max-row sets the limit\n";
  if (given.source && failure.code() == errc::unsupported_result)
    return "HINT: --sql 'select * from ...' makes objects of the columns, whatever their types are\n";
  if (given.source && failure.sqlstate() == no_such_operator)
    return "HINT: paths like a.b lead into json and jsonb; of other types --sql 'select ... where ...' can ask "
           "anything\n";
  return {};
}

int perform(const options& given, watcher& watch) try {
  if (given.help)
    write_output(help_text);
  else if (given.version)
    write_output("sluice " SLUICE_VERSION "\n");
  else {
    if (given.output_file) redirect_output(*given.output_file);
    stream(given, watch);
    if (given.output_file) close_output();
  }
  return 0;
} catch (const reader_gone&) {
  return 0;
} catch (const output_interrupted&) {
  return cancelled_exit;
} catch (const sluice::error& e) {
  const bool is_known = e.server() && (given.sql || given.source) && !given.connections && !given.partitions;
  std::fputs((error_text(e, is_known ? watch.last_query() : std::string{}) + advice(e, given)).c_str(), stderr);
  return exit_code(e.kind());
}

}  // namespace

int main(int argc, char** argv) try {
  catch_signals();
  const bool has_output = fill_descriptors();
  watcher watch;
  const options given = parse_options(argc, argv);
  if (!has_output && !given.output_file) throw std::system_error{EBADF, std::generic_category(), "standard output"};
  return perform(given, watch);
} catch (const usage_error& e) {
  std::fprintf(stderr, "sluice: usage: %s\n", printable_lines(e.what()).c_str());
  return exit_code(condition::usage);
} catch (const std::bad_alloc&) {
  std::fputs("sluice: limit: out of memory\n", stderr);
  return exit_code(condition::limit);
} catch (const std::exception& e) {
  std::fprintf(stderr, "sluice: output: %s\n", printable(e.what()).c_str());
  return output_exit;
}
