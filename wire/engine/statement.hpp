#pragma once
// A query as it is to be sent.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "messages/frontend.hpp"

namespace sluice::wire {

class decider;

struct statement {
  std::string_view text{};
  std::span<const std::uint32_t> types{};  ///< OIDs of the parameters; 0 or omitted: the server infers the type
  std::span<const proto::parameter> values{};
  /// Makes the SQL from the text, if the text itself is not the SQL; called only if the server has to parse it.
  std::string (*rewritten)(std::string_view text){};
  /// Decides how to run it once it is described, at the cost of one more round trip. Called only if nothing is known
  /// about it yet.
  std::function<std::unique_ptr<decider>(const statement&)> decides{};
  std::string_view question{};  ///< with `decides`: SQL that is run first; its rows are passed to the decider
  /// With `decides`: what is run before a COPY, in the same flight; its rows are ignored.
  struct preparation {
    std::string_view sql{};
    std::span<const std::uint32_t> types{};
    std::span<const proto::parameter> values{};
  };
  preparation before_copy{};
  bool by_columns{false};  ///< the columns stay as they are, in the binary format; otherwise there must be exactly one
  bool is_copied{false};   ///< `decides` turns it into a COPY: nothing is bound to it, and it is not kept prepared
  std::uint32_t page_rows{0};  ///< fetched in pages of this many rows, from a portal of its own; 0: all at once
  std::size_t page_bytes{0};   ///< the most that may be buffered of its pages while other queries run
  std::chrono::milliseconds server_timeout{0};  ///< enforced by the server, as `statement_timeout`; 0: none
};

}  // namespace sluice::wire
