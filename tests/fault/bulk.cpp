// Malformed answers to a COPY in the binary format.
#include "bytes.hpp"
#include "fault.hpp"

namespace sluice::test {

namespace {

const std::string header = raw("PGCOPY\n\xff\r\n\0") + be32(0) + be32(0);
const std::string trailer = be16(0xffff);

std::string tuple(const std::string& document) {
  return be16(1) + be32(static_cast<std::uint32_t>(document.size())) + document;
}

struct copy_backend : backend {
  copy_backend& begins(std::string_view formats = std::string_view{"\1\0\1\0\1", 5}) {
    parse_complete().bind_complete().message('H', formats);
    return *this;
  }
  copy_backend& data(const std::string& content) {
    message('d', content);
    return *this;
  }
  copy_backend& ends() {
    message('c', "").command_complete("COPY").ready_for_query();
    return *this;
  }
};

/// The header and one row.
copy_backend one_row() { return copy_backend{}.begins().data(header + tuple("{}")); }

/// Answers the check for a plain table and describes the query, then plays `answer` as the COPY.
script copying(const backend& answer) {
  return script{}
      .lets_in()
      .hears()
      .says(backend{}
                .parse_complete()
                .bind_complete()
                .data_row("t")
                .command_complete("SELECT 1")
                .parse_complete()
                .parameter_description({})
                .row_description())
      .hears()
      .says(answer);
}

fault broken(std::string name, const backend& answer, char type, std::uint64_t rows = 0) {
  return {.name = std::move(name),
          .server = copying(answer).falls_silent(),
          .expected = {.code = errc::protocol_violation, .says = std::string{"'"} + type + "'", .rows = rows},
          .mode = fetch_mode::bulk};
}

}  // namespace

std::vector<fault> bulk() {
  const auto begun = [] { return copy_backend{}.begins(); };
  return {
      {.name = "a good copy",
       .server = copying(one_row().data(tuple("[]")).data(trailer).ends())
                     .hears()
                     .says(backend{}.command_complete("SELECT 1").ready_for_query())
                     .falls_silent(),
       .expected = {.rows = 2, .is_usable = true},
       .mode = fetch_mode::bulk},
      {.name = "an error in the middle of a copy",
       .server = copying(one_row().error("22012", "division by zero").ready_for_query())
                     .hears()
                     .says(backend{}.command_complete("SELECT 1").ready_for_query())
                     .falls_silent(),
       .expected = {.code = errc::server_error, .rows = 1, .sqlstate = "22012", .is_usable = true},
       .mode = fetch_mode::bulk},
      {.name = "closed in the middle of a copy",
       .server = copying(one_row()).hangs_up(),
       .expected = {.code = errc::connection_lost, .rows = 1, .is_retryable = true},
       .mode = fetch_mode::bulk},
      {.name = "a copied row above the limit",
       .server = copying(one_row()).says("d" + be32(1U << 21U)).falls_silent(),
       .expected = {.code = errc::row_too_large, .rows = 1},
       .mode = fetch_mode::bulk},
      broken("a copy as text", copy_backend{}.begins(raw("\0\0\1\0\0")), 'H'),
      broken("a copy of other columns", copy_backend{}.begins(raw("\1\0\2\0\1\0\1")), 'H'),
      broken("a copy in", copy_backend{}.parse_complete().bind_complete().message('G', raw("\1\0\1\0\1")), 'G'),
      broken("no copy", backend{}.parse_complete().bind_complete().command_complete("COPY 0"), 'C'),
      broken("a copy without its header", begun().data(tuple("{}")), 'd'),
      broken("a header that is cut", begun().data(header.substr(0, 15)), 'd'),
      broken("a header with flags that nobody knows",
             begun().data(raw("PGCOPY\n\xff\r\n\0") + be32(1U << 16U) + be32(0)), 'd'),
      broken("a header whose extension is longer than it",
             begun().data(raw("PGCOPY\n\xff\r\n\0") + be32(0) + be32(0xfffffff0) + tuple("{}")), 'd'),
      broken("a first row with too many fields", begun().data(header + be16(2) + be32(0) + be32(0)), 'd'),
      broken("a copied row with too many fields", one_row().data(be16(2) + be32(0) + be32(0)), 'd', 1),
      broken("a copied row that is too short", one_row().data(be16(1) + be32(9) + "{}"), 'd', 1),
      broken("a copied row that is too long", one_row().data(be16(1) + be32(1) + "{}"), 'd', 1),
      broken("an empty CopyData", one_row().data(""), 'd', 1),
      broken("a row behind the trailer", one_row().data(trailer).data(tuple("{}")), 'd', 1),
      broken("a second trailer", one_row().data(trailer).data(trailer), 'd', 1),
      broken("no trailer", one_row().message('c', ""), 'c', 1),
      broken("no CopyDone", one_row().data(trailer).command_complete("COPY 1"), 'C', 1),
      broken("a DataRow in a copy", one_row().data_row("{}"), 'D', 1),
      broken("a second copy", one_row().data(trailer).message('c', "").message('H', raw("\1\0\1\0\1")), 'H', 1),
  };
}

}  // namespace sluice::test
