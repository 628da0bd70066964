#pragma once
// What a conversation wants after one message of the server's.
#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include <sluice/proto/fault.hpp>

namespace sluice::wire {

struct action {
  enum class kind : std::uint8_t {
    go_on,        ///< feed the next message
    aside,        ///< the message may arrive at any time: it concerns the session, not the query
    take_row,     ///< the last `row_bytes` of the message are a row, which has to become a message of its own
    refuse_copy,  ///< the server waits for the data of a COPY FROM STDIN: call `refuse_copy_in`
    end_turn,     ///< the answer to one Sync or Query is complete
    give_up,      ///< the server has ended the session, and said why
    fail,         ///< `why`: the server broke the protocol, or the next flight cannot be encoded
  };
  kind is{kind::go_on};
  std::size_t row_bytes{};
  proto::fault why{};

  friend bool operator==(const action&, const action&) = default;
  friend std::ostream& operator<<(std::ostream& out, const action& what);
};

/// `fail` for this reason, or `go_on` without one.
[[nodiscard]] inline action failed(const proto::fault& why) noexcept {
  return {.is = why ? action::kind::fail : action::kind::go_on, .why = why};
}

}  // namespace sluice::wire
