#pragma once
// One query under way: the exchange, its deadline and its statistics. Both faces, coroutine and blocking, wait around
// it.
#include <memory>
#include <optional>
#include <vector>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/exchange.hpp>

#include "client_filter.hpp"
#include "client_part.hpp"

namespace sluice::detail {

class running_query {
 public:
  // Encodes the query; what can be sent without waiting is sent.
  running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, std::string_view statements, const query_options& options);

  // The consumer asks for more; its own time ends here.
  void enter() noexcept;
  // The next rows, the end (an empty chunk), or nothing: then wait until the link is ready, and come again.
  // `polite`: also nothing when it is time to let other coroutines run.
  std::optional<chunk> advance(bool polite);

  [[nodiscard]] wire::link& link() noexcept { return session_->io; }
  [[nodiscard]] wire::exchange& exchange() noexcept { return *exchange_; }
  [[nodiscard]] wire::session& session() noexcept { return *session_; }
  [[nodiscard]] std::shared_ptr<wire::session> keep_session() const noexcept { return session_; }
  [[nodiscard]] wire::clock::duration patience() const noexcept { return session_->patience; }
  // Nothing is left to be cancelled: the query is over, or its connection is.
  [[nodiscard]] bool is_settled() const noexcept {
    return exchange_->is_over() || session_->is == wire::session::state::broken;
  }
  // All rows that were wanted have been handed out, and the server is to be stopped.
  [[nodiscard]] bool is_satisfied() const noexcept { return rest_.limit == 0U && !is_settled(); }
  [[nodiscard]] stream_stats stats() const;

 private:
  void start(const query_options& options);
  void set_deadline() noexcept;
  std::optional<chunk> step(bool polite);
  bool select_rows();
  chunk hand_over(wire::exchange::state state);

  std::shared_ptr<wire::session> session_;
  std::optional<wire::exchange> exchange_;
  query_options limits_{};
  client_part rest_{};                       // what the server has not done
  std::unique_ptr<client_filter> filter_{};  // null: nothing is left to do
  wire::clock::time_point began_{wire::clock::now()};
  wire::clock::time_point left_{began_};
  wire::clock::time_point first_row_{};
  wire::clock::duration consumer_{};
  wire::clock::duration waited_before_;
  std::uint64_t reads_before_;
  std::uint64_t chunks_{0};
};

}  // namespace sluice::detail
