// Faulty answers within a valid session: messages that the server must not send, and messages that it may send
// unexpectedly.
#include "bytes.hpp"
#include "fault.hpp"

namespace sluice::test {

namespace {

using namespace std::chrono_literals;

script answers(const backend& messages) { return script{}.lets_in().hears().says(messages); }
/// A row, then the given bytes, then silence.
script answers_badly(const std::string& bytes) {
  return script{}.lets_in().hears().says(rows(1)).says(bytes).falls_silent();
}
script answers_badly(const backend& messages) { return answers_badly(messages.bytes); }
/// A complete answer to the first query, and a second answer for a client that sends another query.
script recovers(const backend& messages) {
  return answers(messages).hears().says(backend{}.command_complete("SELECT 1").ready_for_query()).falls_silent();
}
ending violation(std::string says) { return {.code = errc::protocol_violation, .says = std::move(says), .rows = 1}; }
ending told(std::string sqlstate, std::uint64_t rows, bool is_retryable, bool is_usable) {
  return {.code = errc::server_error,
          .rows = rows,
          .sqlstate = std::move(sqlstate),
          .is_retryable = is_retryable,
          .is_usable = is_usable};
}

/// Two rows for the first query, and an answer to the next one.
script answers_two_queries(script begun) {
  return std::move(begun)
      .hears()
      .says(rows(2).command_complete("SELECT 2").ready_for_query())
      .hears()
      .says(backend{}.command_complete("SELECT 1").ready_for_query())
      .falls_silent();
}

}  // namespace

std::vector<fault> told_by_the_server() {
  const auto error = [](backend before, const char* sqlstate, char transaction = 'I') {
    return recovers(before.error(sqlstate, "it says so").ready_for_query(transaction));
  };
  return {
      {"statement_timeout or cancel", error(rows(2), "57014"), told("57014", 2, false, true)},
      {"transaction aborted", error(backend{}, "25P02", 'E'), told("25P02", 0, false, true)},
      {"serialization failure", error(rows(1), "40001"), told("40001", 1, true, true)},
      {"deadlock", error(rows(1), "40P01"), told("40P01", 1, true, true)},
      {"error in the middle of rows", error(rows(3), "22012"), told("22012", 3, false, true)},
      {"error after CommandComplete", error(rows(2).command_complete("SELECT 2"), "40001"),
       told("40001", 2, true, true)},
      {"admin shutdown", answers(rows(2).error("57P01", "terminating", "FATAL")).hangs_up(),
       told("57P01", 2, true, false)},
      {"admin shutdown and silence", answers(rows(2).error("57P01", "terminating", "FATAL")).falls_silent(),
       told("57P01", 2, true, false)},
      {"idle in transaction timeout", answers(backend{}.error("25P03", "too long", "FATAL")).hangs_up(),
       told("25P03", 0, true, false)},
      {"idle session timeout", script{}.lets_in().says(backend{}.error("57P05", "too long", "FATAL")).hangs_up(),
       told("57P05", 0, true, false)},
      {"error without a SQLSTATE",
       recovers(rows(1).message('E', raw("SERROR\0Mjust so\0\0")).ready_for_query()),
       {.code = errc::server_error, .says = "just so", .rows = 1, .is_usable = true}},
      {"error without any field",
       recovers(rows(1).message('E', raw("\0")).ready_for_query()),
       {.code = errc::server_error, .rows = 1, .is_usable = true}},
      {"error of three megabytes",
       recovers(rows(2).error("22012", "it says so" + std::string(3U << 20U, 'x')).ready_for_query()),
       [&] {
         ending cut = told("22012", 2, false, true);
         cut.says = "xxx... [cut off: 31457";
         return cut;
       }()},
      {"notice of three megabytes, then an error",
       recovers(backend{}.notice(std::string(3U << 20U, 'x')).error("22012", "it says so").ready_for_query()),
       told("22012", 0, false, true)},
      {"statement pooling",
       answers(backend{}.error("08P01", "transaction blocks not allowed in statement pooling mode", "FATAL"))
           .hangs_up(),
       {.code = errc::server_error, .says = "read plainly", .sqlstate = "08P01", .is_retryable = true}},
      {"error with control bytes in its text", recovers(rows(1).error("XX000", "\x1b[2J\r").ready_for_query()),
       told("XX000", 1, false, true)},
  };
}

std::vector<fault> harmless() {
  const auto whole = [](backend all) { return recovers(all.command_complete("SELECT 2").ready_for_query()); };
  const ending two_rows{.rows = 2, .is_usable = true};
  return {
      {"nothing wrong", whole(rows(2)), two_rows},
      {"EmptyQueryResponse",
       recovers(backend{}.parse_complete().bind_complete().no_data().empty_query_response().ready_for_query()),
       {.is_usable = true}},
      {"notices, parameters and notifications between rows",
       whole(rows(1).notice().parameter_status("TimeZone", "UTC").notification("channel", "payload").data_row("{}")),
       two_rows},
      {"notices of megabytes between rows",
       whole(rows(1).notice(std::string(5U << 20U, 'x')).notice(std::string(1'048'600, 'x')).data_row("{}")), two_rows},
      {"a notice of megabytes on an idle connection",
       answers_two_queries(script{}.lets_in().says(backend{}.notice(std::string(3U << 20U, 'x')))), two_rows},
      {"an unknown parameter", whole(rows(2).parameter_status("no such", "thing")), two_rows},
      {"no key to cancel with",
       answers_two_queries(script{}.hears().says(backend{}.authentication_ok().ready_for_query())), two_rows},
      {"a byte at a time",
       script{}
           .hears()
           .drips(backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query().bytes, 0ms)
           .hears()
           .drips(rows(2).command_complete("SELECT 2").ready_for_query().bytes, 0ms)
           .hears()
           .says(backend{}.command_complete("SELECT 1").ready_for_query())
           .falls_silent(),
       two_rows},
  };
}

std::vector<fault> violations() {
  return {
      {"length below 4", answers_badly(raw("D\0\0\0\3")), violation("'D'")},
      {"length negative", answers_badly(raw("D\xff\xff\xff\xff")), violation("'D'")},
      {"length above the limit", answers_badly("D" + be32(1U << 21U)), {.code = errc::row_too_large, .rows = 1}},
      {"length of a short type too long", answers_badly("C" + be32(30'005)), violation("'C'")},
      {"length that is too short for its fields", answers_badly(backend{}.message('D', be16(1) + be32(9) + "{}")),
       violation("'D'")},
      {"length that is too long for its fields", answers_badly(backend{}.message('D', be16(1) + be32(1) + "{}")),
       violation("'D'")},
      {"more fields than columns", answers_badly(backend{}.data_row({"1", "2"})), violation("'D'")},
      {"no fields", answers_badly(backend{}.message('D', be16(0))), violation("'D'")},
      {"negative number of fields", answers_badly(backend{}.message('D', be16(0xffff))), violation("'D'")},
      {"negative length of a field", answers_badly(backend{}.message('D', be16(1) + be32(0xfffffffe))),
       violation("'D'")},
      {"unknown type", answers_badly(backend{}.message('x', "")), violation("'x'")},
      {"a type of the frontend", answers_badly(backend{}.message('Q', raw("select 1\0"))), violation("'Q'")},
      {"a request for a password", answers_badly(backend{}.authentication(3)), violation("'R'")},
      {"a second key", answers_badly(backend{}.backend_key_data(1, "key!")), violation("'K'")},
      {"NegotiateProtocolVersion", answers_badly(backend{}.message('v', be32(0x30000) + be32(0))), violation("'v'")},
      {"client_encoding changes", answers_badly(backend{}.parameter_status("client_encoding", "LATIN1")),
       violation("client_encoding")},
      {"two result sets", answers_badly(backend{}.command_complete("SELECT 1").row_description()), violation("'T'")},
      {"rows after CommandComplete", answers_badly(backend{}.command_complete("SELECT 1").data_row("{}")),
       violation("'D'")},
      {"ReadyForQuery before the end", answers_badly(backend{}.ready_for_query()), violation("'Z'")},
      {"ReadyForQuery in no known state", answers_badly(backend{}.command_complete("SELECT 1").ready_for_query('x')),
       violation("'Z'")},
      {"PortalSuspended that was not asked for", answers_badly(backend{}.portal_suspended()), violation("'s'")},
      {"text without its zero", answers_badly(backend{}.message('C', "SELECT 1")), violation("'C'")},
      {"FunctionCallResponse", answers_badly(backend{}.message('V', be32(0))), violation("'V'")},
      {"CopyData without a copy", answers_badly(backend{}.message('d', "1")), violation("'d'")},
      {"a notice that is cut", answers_badly(backend{}.message('N', "S")), violation("'N'")},
      {"an error that is cut", answers_badly(backend{}.message('E', "S")), violation("'E'")},
      {"a notification that is cut", answers_badly(backend{}.message('A', "1")), violation("'A'")},
  };
}

std::vector<fault> copies() {
  const backend begun = backend{}.parse_complete().bind_complete().no_data();
  return {
      {"copy in",
       answers(backend{begun}.message('G', raw("\0\0\0")))
           .hears()
           .says(backend{}.error("57014", "COPY from stdin failed").ready_for_query())
           .hears()
           .says(backend{}.command_complete("SELECT 1").ready_for_query())
           .falls_silent(),
       {.code = errc::server_error, .says = "COPY", .sqlstate = "57014", .is_usable = true}},
      {"copy both",
       answers_badly(backend{}.message('W', raw("\0\0\0"))),
       {.code = errc::unsupported_result, .says = "'W'", .rows = 1}},
      {"copy out",
       recovers(backend{begun}
                    .message('H', raw("\0\0\0"))
                    .message('d', "1\n")
                    .message('c', "")
                    .command_complete("COPY 1")
                    .ready_for_query()),
       {.code = errc::unsupported_result, .says = "COPY", .is_usable = true}},
  };
}

}  // namespace sluice::test
