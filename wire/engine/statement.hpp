#pragma once
// A query as it is sent.
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
  std::span<const std::uint32_t> types{};  ///< OIDs of the parameters; 0 or left out: the server infers
  std::span<const proto::parameter> values{};
  /// Makes the SQL of the text, where that is not the SQL itself; called only when the server has to read it.
  std::string (*rewritten)(std::string_view text){};
  /// How it goes on is decided when it is described. One round trip more. Called only when nothing is known of it.
  std::function<std::unique_ptr<decider>(const statement&)> decides{};
  std::string_view question{};  ///< with `decides`: SQL that is run before, whose rows the decider is told
  /// With `decides`: what is run before a COPY, in the same flight; its rows mean nothing.
  struct preparation {
    std::string_view sql{};
    std::span<const std::uint32_t> types{};
    std::span<const proto::parameter> values{};
  };
  preparation before_copy{};
  bool by_columns{false};      ///< the columns stay as they are, in the binary format; else there has to be one
  bool is_copied{false};       ///< `decides` makes a COPY of it: nothing is bound to it, and it is not kept prepared
  std::uint32_t page_rows{0};  ///< fetched in pages of so many rows, from a portal of its own; 0: all at once
  std::size_t page_bytes{0};   ///< the most that may be set aside of pages while other queries run
  std::chrono::milliseconds server_timeout{0};  ///< for the server to obey, as `statement_timeout`; 0: none
};

}  // namespace sluice::wire
