#pragma once
// An ordinary connection beside the one for replication, which can only stream: for questions and heartbeats.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/options.hpp>
#include <sluice/wire/conninfo.hpp>

#include "engine/session.hpp"
#include "engine/text_query.hpp"
#include "json/type_facts.hpp"

namespace sluice::detail {

class second_connection {
 public:
  second_connection(conninfo where, connection_options how) : where_{std::move(where)}, how_{how} {}
  ~second_connection();
  second_connection(const second_connection&) = delete;
  second_connection& operator=(const second_connection&) = delete;

  /// Runs a statement; connects first if there is no connection, or if it was lost.
  /// @par Errors  throws error: as `wire::connect`, and the server's; then the next call connects anew
  asio::awaitable<std::vector<wire::text_row>> ask(std::string statement);

 private:
  conninfo where_;
  connection_options how_;
  std::shared_ptr<wire::session> session_;
};

/// What these types are, asked on a connection that is made for it.
/// @par Errors  throws error: as `second_connection::ask`
asio::awaitable<type_catalog> ask_types(conninfo where, connection_options how, std::vector<std::uint32_t> types);

}  // namespace sluice::detail
