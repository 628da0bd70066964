#include "machines/query_machine.hpp"

#include <ostream>

#include "messages/backend.hpp"

namespace sluice::proto {

using enum step::kind;

void query_machine::sent(const parse& /*message*/) noexcept { push(awaited::parse); }
void query_machine::sent(const bind& /*message*/) noexcept { push(awaited::bind); }
void query_machine::sent(const close& /*message*/) noexcept { push(awaited::close); }
void query_machine::sent(const execute& /*message*/) noexcept { push(awaited::rows); }
void query_machine::sent_aside(const parse& /*message*/) noexcept { push(awaited::parse_aside); }
void query_machine::sent_aside(const execute& /*message*/) noexcept { push(awaited::rows_aside); }
void query_machine::sent_question(const execute& /*message*/) noexcept { push(awaited::answers); }
void query_machine::sent_copy(const execute& /*message*/) noexcept { push(awaited::copy); }
void query_machine::sent(const sync& /*message*/) noexcept { push(awaited::sync); }

/// A statement's description has two answers: its parameters, then its columns or NoData. A portal's has only the
/// second.
void query_machine::sent(const describe& message) noexcept {
  if (message.what == describe::kind::statement) push(awaited::parameters);
  push(awaited::columns);
}

/// The server sends any number of results and one ReadyForQuery, as if a Sync came after the statements.
void query_machine::sent(const query& /*message*/) noexcept {
  push(awaited::results);
  push(awaited::sync);
}

namespace {

/// Checks the messages that are recognised by type alone, and the one whose fields nothing else reads.
bool is_well_formed(const frame& next) noexcept {
  switch (next.type) {
    case '1':
    case '2':
    case '3':
    case 'n':
    case 's':
    case 'I':
    case 'c': return is_empty_body(next.body);
    case 't': return decode_parameter_description(next.body).has_value();
    case 'G':
    case 'H': return decode_copy_response(next.body).has_value();
    default: return true;
  }
}

}  // namespace

step query_machine::on(const frame& next) noexcept {
  if (!is_well_formed(next))
    return {violation, {fault::kind::malformed, next.type, "the fields do not fill the body exactly"}};
  switch (next.type) {
    case 'N':
    case 'S':
    case 'A': return {aside};
    case 'E':
      if (size_ == 0) break;  // outside a query the connection handles errors itself
      skip_to_sync();
      return {refused};
    case '1':
      if (is_next(awaited::parse_aside)) return answered(nothing);
      if (!is_next(awaited::parse)) break;
      return answered(parsed);
    case '2':
      if (!is_next(awaited::bind)) break;
      return answered(nothing);
    case '3':
      if (!is_next(awaited::close)) break;
      return answered(nothing);
    case 't':
      if (!is_next(awaited::parameters)) break;
      return answered(nothing);
    case 'T':
    case 'n':
      if (is_next(awaited::columns)) return described(next.type == 'T');
      if (next.type == 'n' || !is_next(awaited::results) || has_rows_ || copying_) break;
      has_rows_ = true;
      return {step::kind::described};
    case 'D':
      if (is_next(awaited::rows_aside)) return {nothing};
      if (is_next(awaited::answers)) return {answer};
      if (!may_have_rows()) break;
      return {row};
    case 's':
      if (!is_next(awaited::rows) || !has_rows_) break;
      return answered(suspended);
    case 'C':
    case 'I':
      if (!is_next(awaited::rows) && !is_next(awaited::rows_aside) && !is_next(awaited::answers) &&
          !is_next(awaited::results) && !is_next(awaited::copy_over))
        break;
      return completed();
    case 'G':
    case 'H':
      if (next.type == 'H' && is_next(awaited::copy) && !copying_) {
        copying_ = true;
        return {copying};
      }
      if ((!is_next(awaited::rows) && !is_next(awaited::results)) || has_rows_ || copying_) break;
      return copies(next.type);
    case 'd':
    case 'c':
      if (!copying_) break;
      return copy_data(next.type);
    case 'Z':
      if (is_next(awaited::results) && any_result_ && !has_rows_ && !copying_) pop();
      if (!is_next(awaited::sync)) break;
      return answered(ready);
    case 'W': return {violation, {fault::kind::unsupported, next.type, "COPY BOTH is for replication only"}};
    default: return {violation, {fault::kind::unexpected, next.type, "no such message after start-up"}};
  }
  return {violation, {fault::kind::unexpected, next.type, "message out of order"}};
}

bool query_machine::needs_sync() const noexcept {
  for (std::size_t i = 0; i < size_; ++i)
    if (at(i) == awaited::sync) return false;
  return true;
}

void query_machine::push(awaited what) noexcept {
  queue_[(first_ + size_) % most_awaited] = what;
  ++size_;
}

void query_machine::pop() noexcept {
  first_ = static_cast<std::uint8_t>((first_ + 1U) % most_awaited);
  --size_;
}

step query_machine::answered(step::kind kind) noexcept {
  pop();
  return {kind};
}

step query_machine::described(bool has_rows) noexcept {
  has_rows_ = has_rows;
  return answered(has_rows ? step::kind::described : no_rows);
}

/// The end of one command; in a simple query others may follow.
step query_machine::completed() noexcept {
  copying_ = false;
  switch (front()) {
    case awaited::rows_aside: return answered(nothing);
    case awaited::answers: return answered(told);
    case awaited::rows:
    case awaited::copy_over: return answered(complete);
    default:
      has_rows_ = false;
      any_result_ = true;
      return {complete};
  }
}

/// While data is copied in, the server ignores a Sync and treats any other message as an error. Which of the two
/// happens is certain only if a Sync is all that was sent after the query.
step query_machine::copies(char type) noexcept {
  if (type == 'G' && front() == awaited::rows) {
    if (size_ > 2) return {violation, {fault::kind::unsupported, type, "COPY FROM STDIN in front of other messages"}};
    if (size_ == 2) --size_;
  }
  copying_ = true;
  return {type == 'G' ? copy_in : copy_out};
}

step query_machine::copy_data(char type) noexcept {
  if (front() != awaited::copy) return {nothing};  // the data is not wanted
  if (type == 'd') return {row};
  copying_ = false;
  queue_[first_] = awaited::copy_over;
  return {copied};
}

/// After an error the server discards messages until it reads a Sync, so only that one is still answered.
void query_machine::skip_to_sync() noexcept {
  while (size_ != 0 && front() != awaited::sync) pop();
  copying_ = false;
}

std::ostream& operator<<(std::ostream& out, const step& s) {
  static constexpr std::array names{"nothing", "parsed",    "described", "no_rows", "row",      "answer",
                                    "told",    "suspended", "complete",  "refused", "ready",    "aside",
                                    "copy_in", "copy_out",  "copying",   "copied",  "violation"};
  out << names[static_cast<std::size_t>(s.is)];
  if (s.why) out << " '" << s.why.type << "': " << s.why.rule;
  return out;
}

}  // namespace sluice::proto
