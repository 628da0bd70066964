#pragma once
// Declarations that the guides' code blocks assume: names that stand for the reader's own code.
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>
#include <asio/any_io_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <sluice/arrow/ipc.hpp>
#include <sluice/cache/invalidations.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/document_writer.hpp>
#include <sluice/stream/in_transaction.hpp>
#include <sluice/stream/json.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/single_row.hpp>
#include <sluice/stream/typed.hpp>
#include <sluice/stream/typed_stream.hpp>

using sluice::field;

template <class... Values>
void use(const Values&... /*values*/) {}
template <class... Values>
void log(const Values&... /*values*/) {}
inline void write(std::string_view /*text*/) {}
inline void again_later() {}
inline void create_table() {}
inline void load_orders() {}
inline void apply(std::string_view /*payload*/) {}
inline void connect_again() {}
inline std::string token_for(std::string_view /*server*/, std::string_view user) { return std::string{user}; }
inline double value_of(const sluice::row& row) { return row.is_null() ? 0 : 1; }
inline asio::awaitable<void> wait_for_the_end() { co_return; }
inline bool is_what_we_look_for(const sluice::row& row) { return row.is_null(); }
inline sluice::query orders_of(const sluice::row& user) {
  return sluice::sql("select data from v_order where data->>'user' = $1", user.text()).as_document();
}

struct sink {
  void write(std::string_view /*text*/) {}
};
struct request {
  asio::ip::tcp::socket& socket;
};
inline sluice::query query_for(const request& /*what*/) { return sluice::from("v_user"); }
