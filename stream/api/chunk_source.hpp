#pragma once
// Where the chunks of a pooled stream come from: a query on a connection of the pool, or something else that gives
// chunks.
#include <memory>
#include <span>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {
class pooled_stream;
}

namespace sluice::detail {

/// Each function is the stream's of the same name. What waits gets a reference of its own to the source, because the
/// stream may be destroyed meanwhile. Exported for libsluice_cache.
class SLUICE_API chunk_source {
 public:
  using shared = std::shared_ptr<chunk_source>;

  chunk_source() = default;
  virtual ~chunk_source();
  chunk_source(const chunk_source&) = delete;
  chunk_source& operator=(const chunk_source&) = delete;

  [[nodiscard]] static pooled_stream stream_of(shared source) noexcept;

  [[nodiscard]] virtual asio::awaitable<chunk> next(shared self) = 0;
  [[nodiscard]] virtual asio::awaitable<leaving> cancel(shared self) = 0;
  [[nodiscard]] virtual asio::awaitable<void> pause(const pause_options& how) = 0;
  virtual void resume() = 0;
  [[nodiscard]] virtual stream_stats stats() const = 0;
  [[nodiscard]] virtual std::span<const result_column> columns() const noexcept = 0;
  [[nodiscard]] virtual int attempts() const noexcept = 0;
  [[nodiscard]] virtual asio::any_io_executor get_executor() const = 0;
  /// The stream is gone.
  virtual void drop(shared self) noexcept = 0;
};

}  // namespace sluice::detail
