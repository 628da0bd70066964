#pragma once
// Before a statement can be sent: earlier ones have to be out of the way, and the transaction that it belongs to open.
#include <cstdint>
#include <memory>
#include <string>

#include <asio/awaitable.hpp>

#include <sluice/stream/options.hpp>
#include "engine/session.hpp"

namespace sluice::detail {

// How BEGIN, if it has not been sent yet, goes out.
enum class beginning : std::uint8_t {
  with_statement,
  on_its_own,  // in a round trip before it: the statement has to know that it is in a block
};

[[nodiscard]] inline beginning beginning_of(const query_options& options) noexcept {
  return options.mode == fetch_mode::paged ? beginning::on_its_own : beginning::with_statement;
}

// @param of  the block that the statement belongs to; 0: whatever is open
// Throws error: bad_state when that block is over, or another is open in it.
void require_innermost(const wire::session& on, wire::open_blocks::id of);

// Of what is sent by the simple protocol: there the setting cannot be sent along.
// Throws error: bad_query.
void require_no_server_timeout(const query_options& options);

// Whether nothing has to be waited for, sent, or refused before a statement that belongs to no block.
[[nodiscard]] inline bool is_free_at_once(const wire::session& on, wire::open_blocks::id of) noexcept {
  return of == 0 && on.is() == wire::session::state::idle && on.engine.blocks.empty();
}

// Waits until a statement requested at `asked` can be sent, or until its deadline.
// Throws error: as `require_innermost` and `run_to_end`.
asio::awaitable<void> until_free(std::shared_ptr<wire::session> on, wire::clock::time_point asked,
                                 query_options options, beginning how, wire::open_blocks::id of = 0);

}  // namespace sluice::detail
