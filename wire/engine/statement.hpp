#pragma once
// A query as it is to be sent.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "messages/backend.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

class decider;

struct statement {
  std::string_view text{};
  std::span<const std::uint32_t> types{};  ///< OIDs of the parameters; 0 or omitted: the server infers the type
  std::span<const proto::parameter> values{};
  std::size_t rows{0};         ///< not 0: it is run for so many rows of values, which stand one after the other
  bool each_by_itself{false};  ///< with `rows`: each is a transaction of its own, as far as the session allows
  std::span<const proto::value_format> formats{};  ///< of the result, as Bind has them
  bool discards_rows{false};                       ///< its result is only that it has run
  bool by_columns{false};                          ///< its columns are reported to the reader, however many there are
  /// If not null: tells why columns like these cannot be read, or nothing. Then the query ends with that reason.
  std::string (*refuses)(const proto::row_description& columns){};
  /// Decides how to run it when its columns are known. The first time this costs one more round trip, unless
  /// `runs_undescribed`.
  std::function<std::unique_ptr<decider>()> decides{};
  /// With `decides`: while its columns are unknown, it is run as it is, with all columns in text. If anything has to be
  /// asked about these, its rows wait until that is answered.
  bool runs_undescribed{false};
  std::string_view question{};  ///< with `decides`: SQL that is run first; its rows are passed to the decider
  /// With `decides`: what is run before a COPY, in the same flight; its rows are ignored.
  struct preparation {
    std::string_view sql{};
    std::span<const std::uint32_t> types{};
    std::span<const proto::parameter> values{};
  };
  preparation before_copy{};
  bool is_copied{false};       ///< `decides` turns it into a COPY: nothing is bound to it, and it is not kept prepared
  std::uint32_t page_rows{0};  ///< fetched in pages of this many rows, from a portal of its own; 0: all at once
  std::size_t page_bytes{0};   ///< the most that may be buffered of its rows while they have to wait
  std::string_view
      comment{};  ///< put behind the text that is sent; what is known of the statement is known by its text
  std::chrono::milliseconds server_timeout{0};  ///< enforced by the server, as `statement_timeout`; 0: none
};

}  // namespace sluice::wire
