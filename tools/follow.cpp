#include "follow.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include <simdjson.h>

#include "json/json_string.hpp"
#include "json/text_buffer.hpp"

#include "output.hpp"
#include "terminal.hpp"

namespace sluice::tool {

namespace {

using clock = std::chrono::steady_clock;

[[noreturn]] void fail_file(const std::string& file) {
  throw std::system_error{errno, std::generic_category(), "the state file '" + file + "'"};
}

std::string in_quotes(std::string_view text) {
  detail::text_buffer made;
  (void)detail::write_string(made, text);  // what is not UTF-8 is in hexadecimal already
  return std::string{made.text()};
}

/// A message may have any bytes.
std::string content_of(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return in_quotes(text);
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string hexadecimal{"\\x"};
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    hexadecimal.append(1, digits[byte >> 4U]).append(1, digits[byte & 0xfU]);
  }
  return in_quotes(hexadecimal);
}

std::string moment_of(const change& each) {
  using namespace std::chrono;
  const auto at = each.committed_at();
  const auto seconds = floor<std::chrono::seconds>(at);
  const std::time_t whole = seconds.time_since_epoch().count();
  std::tm parts{};
  (void)::gmtime_r(&whole, &parts);
  std::array<char, 48> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  (void)std::snprintf(fraction.data(), fraction.size(), ".%06lldZ", static_cast<long long>((at - seconds).count()));
  return std::string{text.data(), size} + fraction.data();
}

void add(std::string& to, std::string_view key, std::string_view json) {
  to.append(to.size() == 1 ? "\"" : ",\"").append(key).append("\":").append(json);
}

void add_row(std::string& to, const change& each) {
  if (!each.old_text().empty()) add(to, each.old_is_key() ? "key" : "old", each.old_text());
  if (!each.text().empty()) add(to, "new", each.text());
  if (each.unchanged().empty()) return;
  std::string names;
  for (const std::string_view name : each.unchanged()) names += (names.empty() ? "[" : ",") + in_quotes(name);
  add(to, "unchanged", names + ']');
}

void add_columns(std::string& to, const changed_relation& relation) {
  std::string columns;
  for (const changed_relation::column& each : relation.columns)
    columns += std::string{columns.empty() ? "[" : ","} + "{\"name\":" + in_quotes(each.name) +
               ",\"type\":" + std::to_string(each.type) + (each.is_key ? ",\"key\":true}" : "}");
  add(to, "columns", columns.empty() ? "[]" : columns + ']');
}

/// Writes what was collected, and keeps the position when that is due.
class writing {
 public:
  writing(blocking_change_stream& changes, const follow_options& given) : changes_{changes}, given_{given} {}

  void add(const change& each) {
    constexpr std::size_t enough = 64U << 10U;
    const std::string line = line_of(each) + '\n';
    text_ += is_terminal_ ? printable_document(line) : line;
    if (text_.size() >= enough) flush();
  }
  void flush() {
    if (!text_.empty()) write_output(text_);
    text_.clear();
  }
  /// What is written up to there is safe.
  void settle(position upto, bool is_last) {
    flush();
    constexpr std::chrono::milliseconds between{200};
    const clock::time_point now = clock::now();
    if (given_.state && !is_last && now < kept_at_ + between) return;
    if (given_.state && upto != kept_) write_state(*given_.state, upto);
    kept_ = upto;
    kept_at_ = now;
    changes_.acknowledge(upto);
  }

 private:
  blocking_change_stream& changes_;
  const follow_options& given_;
  std::string text_;
  position kept_{};
  clock::time_point kept_at_{};
  bool is_terminal_{::isatty(STDOUT_FILENO) == 1};
};

}  // namespace

std::string line_of(const change& each) {
  const operation what = each.operation();
  const bool has_relation = what != operation::begin && what != operation::commit && what != operation::message;
  std::string line{"{"};
  add(line, "op", in_quotes(to_string(what)));
  if (has_relation) add(line, "table", in_quotes(each.relation().qualified_name()));
  add(line, "lsn", in_quotes(each.position().commit.to_string()));
  add(line, "index", std::to_string(each.position().index));
  if (each.xid() != 0) {
    add(line, "xid", std::to_string(each.xid()));
    add(line, "at", in_quotes(moment_of(each)));
  }
  switch (what) {
    case operation::schema: add_columns(line, each.relation()); break;
    case operation::message:
      add(line, "prefix", in_quotes(each.prefix()));
      add(line, "content", content_of(each.text()));
      break;
    case operation::truncate:
      if (each.is_cascade()) add(line, "cascade", "true");
      if (each.restarts_identity()) add(line, "restart_identity", "true");
      break;
    default: add_row(line, each); break;
  }
  return line + '}';
}

std::optional<position> read_state(const std::string& file) {
  std::ifstream in{file};
  if (!in) {
    if (errno == ENOENT) return std::nullopt;
    fail_file(file);
  }
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const std::optional<position> kept = position::parse(std::string_view{text}.substr(0, text.find('\n')));
  if (!kept)
    throw error{errc::bad_state, "the file '" + file + "' does not have a position in it, such as 0/16B3748+3"};
  return kept;
}

void write_state(const std::string& file, position at) {
  const std::string beside = file + ".new";
  const std::string text = at.to_string() + '\n';
  constexpr mode_t for_all = 0666;
  const int to = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, for_all);
  if (to < 0) fail_file(beside);
  const bool is_written =
      ::write(to, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(to) == 0;
  if (::close(to) != 0 || !is_written) fail_file(beside);
  if (::rename(beside.c_str(), file.c_str()) != 0) fail_file(file);
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const int in = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (in < 0) fail_file(file);
  (void)::fsync(in);
  (void)::close(in);
}

void follow(const conninfo& where, const follow_options& given,
            const std::function<void(blocking_change_stream*)>& begun, const std::function<bool()>& is_interrupted) {
  change_options how = given.how;
  if (given.state) how.from = read_state(*given.state);
  if (how.from) how.snapshot = initial_snapshot::none;
  how.progress = how.progress || given.state || given.ends_now || given.until;
  blocking_change_stream changes{where, how};
  const std::optional<lsn> until = given.ends_now ? std::optional{changes.progress().server} : given.until;
  struct during {
    const std::function<void(blocking_change_stream*)>& tell;
    ~during() { tell(nullptr); }
  } const now{begun};
  begun(&changes);
  writing to{changes, given};
  position last{};
  const auto is_over = [&] {
    const change_progress so_far = changes.progress();
    return is_interrupted() || (until && !so_far.in_snapshot && std::max(so_far.received, last.commit) >= *until);
  };
  try {
    while (!is_over()) {
      const change_chunk some = changes.next();
      if (!some) break;
      for (const change each : some) to.add(each);
      last = some.last();
      // The end of a snapshot is waited for.
      to.settle(last, changes.progress().in_snapshot && last.index == 0);
    }
  } catch (const error& why) {
    if (last != position{}) to.settle(last, true);
    changes.close();
    throw;
  }
  if (last != position{}) to.settle(last, true);
  changes.close();
  if (is_interrupted()) throw error{errc::cancelled, "interrupted"};
}

}  // namespace sluice::tool
