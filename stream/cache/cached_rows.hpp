#pragma once
// The stream of one call of a cache: a stored result, or the rows of the server, which are recorded as they flow.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/steady_timer.hpp>

#include "api/chunk_source.hpp"
#include "cache/cache_core.hpp"
#include "cache/recording.hpp"

namespace sluice::detail {

class cached_rows final : public chunk_source {
 public:
  struct call {
    query what;
    std::chrono::milliseconds ttl;
    cache_use::mode how;
    bool only_reads;
    std::string session;
    std::vector<std::string> tags;
    query_options options;
    retry_options retry;
  };

  cached_rows(std::shared_ptr<cache_core> core, call asked);
  ~cached_rows() override;

  [[nodiscard]] asio::awaitable<chunk> next(shared self) override;
  [[nodiscard]] asio::awaitable<leaving> cancel(shared self) override;
  [[nodiscard]] asio::awaitable<void> pause(const pause_options& how) override;
  void resume() override;
  [[nodiscard]] stream_stats stats() const override;
  [[nodiscard]] std::span<const result_column> columns() const noexcept override;
  [[nodiscard]] int attempts() const noexcept override;
  [[nodiscard]] asio::any_io_executor get_executor() const override;
  void drop(shared self) noexcept override;

 private:
  using clock = cache_core::clock;
  using kind = cache_event::kind;

  enum class state : std::uint8_t {
    asked,
    deciding,  ///< perhaps waiting for another call
    hit,       ///< the rows of an entry have been handed out
    sent,      ///< the rows are the server's
    over,
    left,
  };
  /// A result that is being recorded.
  struct filling {
    store::fill fill;
    recording rows;
    chunk unread;  ///< handed out last, and not recorded yet
    std::string key;
    std::shared_ptr<flight> others;
  };

  [[nodiscard]] static asio::awaitable<chunk> begin(std::shared_ptr<cached_rows> self);
  [[nodiscard]] static asio::awaitable<void> decide(std::shared_ptr<cached_rows> self);
  [[nodiscard]] static asio::awaitable<void> wait(std::shared_ptr<cached_rows> self, std::shared_ptr<flight> other,
                                                  clock::time_point until);
  [[nodiscard]] static asio::awaitable<chunk> go_on(std::shared_ptr<cached_rows> self);

  [[nodiscard]] bool may_be_stored() const;
  [[nodiscard]] bool write_key(query_key& into) const;
  [[nodiscard]] bool take(const query_key& key, kind as);
  [[nodiscard]] chunk rows_of_hit() const;
  void require_wanted() const;
  void lead(const query_key& key, std::string flight_key);
  void pass();
  void send();
  void record() noexcept;
  void store_recorded() noexcept;
  void end_filling(kind how, flight::outcome outcome) noexcept;
  void release_entry() noexcept;
  void leave() noexcept;

  std::shared_ptr<cache_core> core_;
  call asked_;
  state is_{state::asked};
  entry* entry_{};
  std::shared_ptr<const result_columns> columns_{};  // of a hit
  stream_stats counted_{};                           // of a hit
  clock::time_point began_{};
  clock::duration waited_{};
  std::optional<asio::steady_timer> timer_;
  std::optional<pooled_stream> inner_;
  std::unique_ptr<filling> filling_;
};

}  // namespace sluice::detail
