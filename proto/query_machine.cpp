#include <sluice/proto/query_machine.hpp>

#include <array>
#include <ostream>

#include <sluice/proto/backend.hpp>

namespace sluice::proto {

using enum step::kind;

query_machine::query_machine(flight kind) noexcept
    : phase_{kind == flight::simple ? phase::simple_results : phase::parsing},
      describe_first_{kind == flight::describe_first},
      simple_{kind == flight::simple},
      needs_sync_{kind == flight::describe_first} {}

namespace {

/// Messages that are told by their type alone, and the one whose fields nobody else looks at.
bool is_well_formed(const frame& next) noexcept {
  switch (next.type) {
    case '1':
    case '2':
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
      if (phase_ == phase::idle) break;  // outside a query the connection reads errors itself
      return go(phase::closing, refused);
    case '1':
      if (phase_ != phase::parsing) break;
      return go(describe_first_ ? phase::typing : phase::binding, nothing);
    case 't':
      if (phase_ != phase::typing) break;
      return go(phase::describing, nothing);
    case '2':
      if (phase_ != phase::binding) break;
      if (described_) return go(has_rows_ ? phase::fetching : phase::rowless, nothing);
      return go(phase::describing, nothing);
    case 'T':
      if (phase_ == phase::simple_results) return go(phase::simple_rows, step::kind::described);
      if (phase_ == phase::describing) return described(step::kind::described);
      break;
    case 'n':
      if (phase_ != phase::describing) break;
      return described(no_rows);
    case 'D':
      if (!may_have_rows()) break;
      return {row};
    case 's':
      if (phase_ != phase::fetching) break;
      return go(phase::closing, suspended);
    case 'C':
    case 'I':
      if (phase_ == phase::fetching || phase_ == phase::rowless || phase_ == phase::copying ||
          phase_ == phase::simple_rows || phase_ == phase::simple_results) {
        answered_ = true;
        return go(simple_ ? phase::simple_results : phase::closing, complete);
      }
      break;
    case 'G':
      if (phase_ != phase::rowless && phase_ != phase::simple_results) break;
      needs_sync_ = !simple_;  // the server has skipped the Sync that was sent
      return go(phase::copying, copy_in);
    case 'H':
      if (phase_ != phase::rowless && phase_ != phase::simple_results) break;
      return go(phase::copying, copy_out);
    case 'd':
    case 'c':
      if (phase_ != phase::copying) break;
      return {nothing};
    case 'Z':
      if (phase_ == phase::closing || (phase_ == phase::simple_results && answered_)) return go(phase::idle, ready);
      break;
    case 'W': return {violation, {fault::kind::unsupported, next.type, "COPY BOTH is for replication only"}};
    default: return {violation, {fault::kind::unexpected, next.type, "no such message after start-up"}};
  }
  return {violation, {fault::kind::unexpected, next.type, "message out of order"}};
}

step query_machine::go(phase next, step::kind kind) noexcept {
  phase_ = next;
  return {kind};
}

step query_machine::described(step::kind kind) noexcept {
  described_ = true;
  has_rows_ = kind == step::kind::described;
  if (describe_first_) return go(phase::deciding, kind);
  return go(has_rows_ ? phase::fetching : phase::rowless, kind);
}

void query_machine::executing(bool parsed_again) noexcept {
  phase_ = parsed_again ? phase::parsing : phase::binding;
  describe_first_ = false;
  needs_sync_ = false;
}

void query_machine::synced() noexcept {
  needs_sync_ = false;
  if (phase_ == phase::deciding) phase_ = phase::closing;
}

std::ostream& operator<<(std::ostream& out, const step& s) {
  static constexpr std::array names{"nothing", "described", "no_rows", "row",     "suspended", "complete",
                                    "refused", "ready",     "aside",   "copy_in", "copy_out",  "violation"};
  out << names[static_cast<std::size_t>(s.is)];
  if (s.why) out << " '" << s.why.type << "': " << s.why.rule;
  return out;
}

}  // namespace sluice::proto
