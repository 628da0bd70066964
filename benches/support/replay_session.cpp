#include "replay_session.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <vector>

namespace sluice::bench {

namespace {

// Fits into the processor's second-level cache together with the client's buffer, and is large enough that the number
// of system calls does not matter.
constexpr std::size_t block_size{256U << 10U};
constexpr std::uint32_t ssl_request{80877103};
constexpr std::uint32_t gss_request{80877104};
constexpr std::uint32_t cancel_request{80877102};
constexpr std::uint32_t protocol_3_0{196608};
constexpr std::uint32_t json_oid{114};

/// Takes the fields of a message from its front. Missing fields read as zero or empty.
struct fields {
  std::string_view rest;

  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const char c : rest.substr(0, size)) value = value << 8U | static_cast<unsigned char>(c);
    rest.remove_prefix(std::min(size, rest.size()));
    return value;
  }
  std::uint32_t u16() { return number(2); }
  std::uint32_t u32() { return number(4); }
  std::string_view text() {
    const std::string_view found = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(found.size() + 1, rest.size()));
    return found;
  }
  char byte() { return static_cast<char>(number(1)); }
};

std::uint32_t parameters_in(std::string_view sql) {
  std::set<std::string_view> seen;
  for (std::size_t at = sql.find('$'); at != sql.npos; at = sql.find('$', at + 1)) {
    const std::size_t end = std::min(sql.find_first_not_of("0123456789", at + 1), sql.size());
    if (end > at + 1) seen.insert(sql.substr(at, end - at));
  }
  return static_cast<std::uint32_t>(seen.size());
}

std::vector<test::backend::column> columns_of(const row_shape& shape) {
  if (shape.document_size != of_columns) return {{"data", json_oid}};
  std::vector<test::backend::column> all;
  for (const canned_column& each : canned_columns) all.push_back({each.name, each.type});
  return all;
}

}  // namespace

replay_session::replay_session(int descriptor, std::uint32_t process, row_shape fallback, cancel_function cancel)
    : descriptor_{descriptor},
      process_{process},
      key_{process * 2654435761U},
      fallback_{fallback},
      cancel_{std::move(cancel)} {}

replay_session::~replay_session() { ::close(descriptor_); }

void replay_session::hang_up() noexcept { ::shutdown(descriptor_, SHUT_RDWR); }

void replay_session::run() {
  try {
    start_up();
    for (;;) {
      const char type = receive(1).front();
      const std::uint32_t length = fields{receive(4)}.u32();
      if (length < 4) throw gone{};
      serve_message(type, receive(length - 4));
    }
  } catch (const gone&) {
  } catch (const std::runtime_error&) {  // the handshake failed: the client reports why
  }
  hang_up();
  over_ = true;
}

void replay_session::start_up() {
  for (;;) {
    const std::uint32_t length = fields{receive(4)}.u32();
    if (length < 8 || length > 10'000) throw gone{};
    fields in{receive(length - 4)};
    const std::uint32_t code = in.u32();
    if (code == cancel_request) {
      const std::uint32_t process = in.u32();
      cancel_(process, in.u32());
      throw gone{};
    }
    if (code == ssl_request) {
      send_all("S");
      tls_.emplace(descriptor_);
      continue;
    }
    if (code == gss_request) {
      send_all("N");
      continue;
    }
    if (code >> 16U != protocol_3_0 >> 16U) throw gone{};
    if (code != protocol_3_0) out_.message('v', test::be32(protocol_3_0) + test::be32(0));
    break;
  }
  out_.authentication_ok()
      .parameter_status("server_version", "15.0 (replay)")
      .parameter_status("server_encoding", "UTF8")
      .parameter_status("client_encoding", "UTF8")
      .parameter_status("DateStyle", "ISO, MDY")
      .parameter_status("integer_datetimes", "on")
      .parameter_status("standard_conforming_strings", "on")
      .parameter_status("TimeZone", "UTC")
      .backend_key_data(process_, test::be32(key_));
  ready();
}

void replay_session::serve_message(char type, std::string_view body) {
  if (skip_to_sync_ && type != 'S' && type != 'X') return;
  fields in{body};
  switch (type) {
    case 'Q': return simple_query(in.text());
    case 'P': return parse(body);
    case 'B': return bind(body);
    case 'D': return describe(body);
    case 'E': {
      const auto found = portals_.find(in.text());
      const std::uint32_t max_rows = in.u32();
      if (found != portals_.end()) return execute(found->second, max_rows == 0 ? replay_answer::all : max_rows);
      skip_to_sync_ = true;
      out_.error("34000", "portal does not exist");
      return;
    }
    case 'C': {
      const char what = in.byte();
      if (what == 'S')
        statements_.erase(std::string{in.text()});
      else
        portals_.erase(std::string{in.text()});
      out_.message('3', {});
      return;
    }
    case 'H': return flush();
    case 'S': skip_to_sync_ = false; return ready();
    case 'X': throw gone{};
    default:
      out_.error("08P01", "the replay server does not know this message", "FATAL");
      flush();
      throw gone{};
  }
}

void replay_session::simple_query(std::string_view sql) {
  cancelled_ = false;
  portal unnamed{answer_to(sql, fallback_)};
  describe_rows(unnamed.answer);
  execute(unnamed, replay_answer::all);
  skip_to_sync_ = false;
  ready();
}

void replay_session::parse(std::string_view body) {
  cancelled_ = false;
  fields in{body};
  const std::string name{in.text()};
  const std::string_view sql = in.text();
  replay_answer answer = answer_to(sql, fallback_);
  answer.parameters = parameters_in(sql);
  statements_.insert_or_assign(name, std::move(answer));
  out_.parse_complete();
}

void replay_session::bind(std::string_view body) {
  fields in{body};
  const std::string name{in.text()};
  const auto found = statements_.find(in.text());
  if (found == statements_.end()) {
    skip_to_sync_ = true;
    out_.error("26000", "prepared statement does not exist");
    return;
  }
  portals_.insert_or_assign(name, portal{found->second});
  out_.bind_complete();
}

void replay_session::describe(std::string_view body) {
  fields in{body};
  const char what = in.byte();
  const std::string_view name = in.text();
  const replay_answer* answer = nullptr;
  if (what == 'S') {
    if (const auto found = statements_.find(name); found != statements_.end()) answer = &found->second;
  } else if (const auto found = portals_.find(name); found != portals_.end()) {
    answer = &found->second.answer;
  }
  if (answer == nullptr) {
    skip_to_sync_ = true;
    out_.error("26000", "statement or portal does not exist");
    return;
  }
  if (what == 'S') {
    std::string types = test::be16(answer->parameters);
    for (std::uint32_t i = 0; i < answer->parameters; ++i) types += test::be32(25);
    out_.message('t', types);
  }
  if (answer->what == replay_answer::kind::rows || answer->what == replay_answer::kind::fetch)
    describe_rows(*answer);
  else
    out_.no_data();
}

void replay_session::describe_rows(const replay_answer& answer) {
  if (answer.what == replay_answer::kind::rows) out_.row_description(columns_of(answer.shape));
  if (answer.what != replay_answer::kind::fetch) return;
  const auto cursor = cursors_.find(answer.cursor);
  out_.row_description(columns_of(cursor == cursors_.end() ? fallback_ : cursor->second.answer.shape));
}

void replay_session::execute(portal& what, std::uint64_t max_rows) {
  using enum replay_answer::kind;
  const replay_answer& answer = what.answer;
  switch (answer.what) {
    case empty: out_.empty_query_response(); return;
    case tag:
      if (answer.transaction_status != 0) status_ = answer.transaction_status;
      out_.command_complete(answer.tag);
      return;
    case settings: out_.data_row({"hex", "1"}).command_complete("SELECT 1"); return;
    case declare:
      cursors_.insert_or_assign(answer.cursor, portal{answer});
      out_.command_complete("DECLARE CURSOR");
      return;
    case copy_text:
    case copy_binary: return copy_out(answer);
    case rows: {
      const std::uint64_t count = std::min(answer.shape.rows - what.sent, max_rows);
      send_rows(row_block::kind::data_row, answer.shape.document_size, count);
      what.sent += count;
      if (skip_to_sync_) return;
      if (max_rows != replay_answer::all && count == max_rows)
        out_.portal_suspended();
      else
        out_.command_complete("SELECT " + std::to_string(count));
      return;
    }
    case fetch: {
      const auto found = cursors_.find(answer.cursor);
      if (found == cursors_.end()) {
        skip_to_sync_ = true;
        out_.error("34000", "cursor does not exist");
        return;
      }
      portal& cursor = found->second;
      const std::uint64_t count = std::min(cursor.answer.shape.rows - cursor.sent, answer.count);
      send_rows(row_block::kind::data_row, cursor.answer.shape.document_size, count);
      cursor.sent += count;
      if (!skip_to_sync_) out_.command_complete("FETCH " + std::to_string(count));
      return;
    }
  }
}

void replay_session::copy_out(const replay_answer& answer) {
  const bool binary = answer.what == replay_answer::kind::copy_binary;
  const char format = binary ? '\1' : '\0';
  out_.message('H', std::string{format} + test::be16(1) + test::be16(binary ? 1 : 0));
  if (binary) out_.message('d', std::string{"PGCOPY\n\377\r\n\0", 11} + test::be32(0) + test::be32(0));
  send_rows(binary ? row_block::kind::copy_binary : row_block::kind::copy_text, answer.shape.document_size,
            answer.shape.rows);
  if (skip_to_sync_) return;
  if (binary) out_.message('d', test::be16(0xffff));
  out_.message('c', {}).command_complete("COPY " + std::to_string(answer.shape.rows));
}

void replay_session::send_rows(row_block::kind what, std::size_t document_size, std::uint64_t count) {
  const row_block& block = block_of(what, document_size);
  for (; count >= block.rows; count -= block.rows) {
    flush();
    if (cancelled_) {
      skip_to_sync_ = true;
      out_.error("57014", "canceling statement due to user request");
      return;
    }
    send_all(block.bytes);
  }
  out_.bytes.append(block.bytes, 0, static_cast<std::size_t>(count) * block.row_size);
}

const row_block& replay_session::block_of(row_block::kind what, std::size_t document_size) {
  row_block& block = blocks_[{what, document_size}];
  if (block.rows == 0) block = make_row_block(what, document_size, block_size);
  return block;
}

void replay_session::ready() {
  out_.ready_for_query(status_);
  flush();
}

std::string_view replay_session::receive(std::size_t size) {
  if (in_.size() - in_used_ < size) {
    in_.erase(0, in_used_);
    in_used_ = 0;
    while (in_.size() < size) {
      char piece[8192];
      const ssize_t got =
          tls_ ? static_cast<ssize_t>(tls_->receive(piece, sizeof piece)) : ::recv(descriptor_, piece, sizeof piece, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw gone{};
      in_.append(piece, static_cast<std::size_t>(got));
    }
  }
  const std::string_view found = std::string_view{in_}.substr(in_used_, size);
  in_used_ += size;
  return found;
}

void replay_session::flush() {
  send_all(out_.bytes);
  out_.bytes.clear();
}

void replay_session::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        tls_ ? static_cast<ssize_t>(tls_->send(bytes)) : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) throw gone{};
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace sluice::bench
