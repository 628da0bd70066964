#include <sluice/stream/single_row.hpp>

namespace sluice::detail {

void fail_several_rows() {
  throw error{error_info{.code = errc::unexpected_rows,
                         .message = "the query has more than one row, and one was asked for",
                         .server = {},
                         .rows = 1,
                         .connection_usable = true}};
}

void fail_no_row() {
  throw error{error_info{.code = errc::unexpected_rows,
                         .message = "the query has no row, and one was asked for",
                         .server = {},
                         .connection_usable = true}};
}

}  // namespace sluice::detail
