// The command `sluice`: documents of a relation or query as NDJSON on standard output.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>

#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>

#include "options.hpp"
#include "output.hpp"
#include "report.hpp"

namespace {

using namespace sluice;
using namespace sluice::tool;

std::atomic<client*> interruptible{nullptr};
volatile std::sig_atomic_t interrupted = 0;
constexpr int cancelled_exit = 130;
constexpr int output_exit = 1;

extern "C" void on_signal(int) {
  if (interrupted != 0) ::_exit(cancelled_exit);  // asked twice
  interrupted = 1;
  client* const waiting = interruptible.load();
  if (waiting == nullptr) ::_exit(cancelled_exit);  // not connected: there is nothing to cancel
  waiting->interrupt();
}

void catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART: a stalled write ends, too
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
}

struct totals {
  std::uint64_t rows{0};
  std::uint64_t bytes{0};
};

/// Reads all rows and writes them, or only counts them.
void pump(row_range& rows, const options& given, totals& so_far) {
  const bool live = given.progress || (::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0);
  progress line{live};
  std::optional<json_validator> checked;
  if (given.validate) checked.emplace();
  output to{given.output};
  const auto write = [&](const chunk& batch) {
    std::size_t in_chunk = 0;
    for (const row document : batch) {
      so_far.bytes += document.text().size();
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
    } catch (const error&) {  // a document that is no JSON: those before it stay written
      to.flush();
      throw;
    }
    to.flush();
    line.update(so_far.rows, so_far.bytes);
  }
  if (!given.count) to.finish();
  line.finish(so_far.rows, so_far.bytes);
}

int stream(const options& given) {
  const query what = given.to_query();
  if (given.explain) {
    std::fputs(what.explain().c_str(), stdout);
    return 0;
  }
  conninfo info = conninfo::parse(given.dsn);
  if (given.connect_timeout) info.connect_timeout = *given.connect_timeout;
  for (const std::string& warning : info.warnings) std::fprintf(stderr, "sluice: warning: %s\n", warning.c_str());
  connection_options bounds{.leave_timeout = std::chrono::seconds{1}};  // whoever gave up does not wait much longer
  if (given.buffer_bytes) bounds.buffer_bytes = *given.buffer_bytes;
  if (given.max_row_bytes) bounds.max_row_bytes = *given.max_row_bytes;

  const auto began = std::chrono::steady_clock::now();
  client db{info, bounds};
  const auto connecting =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  interruptible.store(&db);
  struct release {
    ~release() { interruptible.store(nullptr); }
  } const at_the_end;

  row_range rows = db.stream(
      what,
      {.timeout = given.timeout, .timeout_counts_pauses = true, .mode = given.mode, .page_rows = given.page_rows});
  totals so_far;
  const auto statistics = [&] {
    if (given.stats)
      std::fputs(
          stats_json(rows.stats(), {connecting, given.mode, db.tls_version(), db.parameter("server_version")}).c_str(),
          stderr);
  };
  try {
    pump(rows, given, so_far);
  } catch (const reader_gone&) {
    (void)rows.cancel();
    statistics();
    return 0;
  } catch (const output_interrupted&) {
    (void)rows.cancel();
    statistics();
    throw error{errc::cancelled, "interrupted"};
  } catch (...) {
    (void)rows.cancel();  // on the server first
    statistics();
    throw;
  }
  if (given.count)
    std::printf("{\"rows\":%llu,\"bytes\":%llu}\n", static_cast<unsigned long long>(so_far.rows),
                static_cast<unsigned long long>(so_far.bytes));
  statistics();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  catch_signals();
  const options given = parse_options(argc, argv);
  if (given.help) {
    std::fputs(help_text, stdout);
    return 0;
  }
  if (given.version) {
    std::puts("sluice " SLUICE_VERSION);
    return 0;
  }
  const int status = stream(given);
  if (std::fflush(stdout) != 0) {
    std::perror("sluice: output: standard output");
    return output_exit;
  }
  return status;
} catch (const usage_error& e) {
  std::fprintf(stderr, "sluice: usage: %s\n", printable(e.what()).c_str());
  return exit_code(condition::usage);
} catch (const sluice::error& e) {
  std::fputs(error_text(e).c_str(), stderr);
  return exit_code(e.kind());
} catch (const std::bad_alloc&) {
  std::fputs("sluice: limit: out of memory\n", stderr);
  return exit_code(condition::limit);
} catch (const std::exception& e) {
  std::fprintf(stderr, "sluice: output: %s\n", printable(e.what()).c_str());
  return output_exit;
}
