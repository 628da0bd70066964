#include "api/free_session.hpp"

#include <string>
#include <utility>

#include "engine/departure.hpp"
#include "engine/run_query.hpp"

#include "api/run_to_end.hpp"
#include "api/running_query.hpp"

namespace sluice::detail {

void require_innermost(const wire::session& on, wire::open_blocks::id of) {
  if (of == 0) return;
  const wire::open_blocks& blocks = on.engine.blocks;
  if (!blocks.is_open(of)) on.io.refuse(errc::bad_state, "the transaction is over");
  // It was not committed, so it may be run again; who has lost the connection may be a savepoint that was dropped.
  if (on.is_broken()) on.io.fail(errc::bad_state, "the connection of the transaction is closed", true);
  if (!blocks.is_innermost(of)) on.io.refuse(errc::bad_state, "a savepoint of the transaction is open: use that one");
  if (on.engine.has_lost_its_block())
    on.io.refuse(errc::bad_state, "the server has ended the transaction: BEGIN failed, or a statement has ended it");
}

void require_no_server_timeout(const query_options& options) {
  if (options.server_timeout.count() > 0)
    throw error{error_info{.code = errc::bad_query,
                           .message = "server_timeout is for a single query: for a list of statements, a COPY, a "
                                      "savepoint or the end of a transaction, set statement_timeout instead",
                           .server = {},
                           .connection_usable = true}};
}

asio::awaitable<void> until_free(std::shared_ptr<wire::session> on, wire::clock::time_point asked,
                                 query_options options, beginning how, wire::open_blocks::id of) {
  const wire::clock::time_point latest = latest_start(asked, options);
  wire::open_blocks& blocks = on->engine.blocks;
  do {  // while one of them is waited for, another may become necessary
    co_await wire::until_left(*on, latest);
    if (blocks.is_due() && !on->is_broken()) {
      wire::departure from{on, {}};
      (void)co_await wire::leave(std::move(from));
    }
    if (!on->engine.queue.empty()) co_await wire::until_decided(*on, latest);
  } while (wire::is_being_left(*on));
  require_innermost(*on, of);
  if (how == beginning::with_statement || blocks.unsent().empty()) co_return;
  const std::string begin{blocks.unsent()};
  auto query = std::make_shared<running_query>(on, std::string_view{begin}, options);
  blocks.sent();
  query->launch(asked);
  co_await run_to_end(std::move(query));
}

}  // namespace sluice::detail
