#pragma once
/// @file
/// What all streams can do, as concepts for generic code.
///
///     template <sluice::blocking_stream Stream>
///     void print(Stream& rows) {
///       while (auto some = rows.next())
///         for (const auto& each : some) ...
///       log(rows.stats());
///     }

#include <concepts>
#include <ranges>
#include <type_traits>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/stream/pause.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

namespace detail {

/// What `next` gives: a chunk, or a typed_chunk.
template <class Chunk>
concept rows_or_end = std::ranges::input_range<const Chunk> && std::constructible_from<bool, const Chunk&>;

}  // namespace detail

/// Streams for plain loops: row_range, parallel_range, partition_range, and a typed_range of any of them. They are
/// ranges of their rows, too.
template <class Stream>
concept blocking_stream =
    std::movable<Stream> && std::ranges::input_range<Stream> && requires(Stream& rows, const Stream& seen) {
      { rows.next() } -> detail::rows_or_end;
      { rows.cancel() } -> std::same_as<leaving>;
      { seen.stats() } -> std::same_as<stream_stats>;
    };

/// Streams for coroutines: row_stream, pooled_stream, parallel_stream, partition_stream, and a typed_stream of any of
/// them. `next`, `cancel` and `pause` take completion tokens, too: <sluice/stream/async.hpp>.
template <class Stream>
concept awaitable_stream = std::movable<Stream> && requires(Stream& rows, const Stream& seen) {
  requires detail::rows_or_end<typename decltype(rows.next())::value_type>;
  { rows.cancel() } -> std::same_as<asio::awaitable<leaving>>;
  { seen.stats() } -> std::same_as<stream_stats>;
  { seen.get_executor() } -> std::same_as<asio::any_io_executor>;
};

/// Streams that can pause: row_range, row_stream, pooled_stream, and typed ones of these. `pause` returns nothing, or
/// an awaitable of nothing.
template <class Stream>
concept pausable_stream =
    (blocking_stream<Stream> || awaitable_stream<Stream>) && requires(Stream& rows, const pause_options& how) {
      requires std::same_as<decltype(rows.pause(how)),
                            std::conditional_t<awaitable_stream<Stream>, asio::awaitable<void>, void>>;
      { rows.resume() } -> std::same_as<void>;
    };

}  // namespace sluice
