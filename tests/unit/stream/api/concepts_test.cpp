// All streams have the same verbs. Code that must not compile is tested by static_asserts;
// tests/integration/verbs_test.cpp tests what the verbs do.
#include <asio/use_future.hpp>
#include <future>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/async.hpp>
#include <sluice/stream/partitions.hpp>
#include <sluice/stream/transaction.hpp>
#include <sluice/stream/typed_stream.hpp>
#include <utility>

namespace concepts_test {
namespace {

using namespace sluice;

static_assert(blocking_stream<row_range>);
static_assert(blocking_stream<parallel_range>);
static_assert(blocking_stream<partition_range>);
static_assert(blocking_stream<typed_range<int>>);
static_assert(blocking_stream<typed_range<int, parallel_range>>);
static_assert(blocking_stream<typed_range<int, partition_range>>);

static_assert(awaitable_stream<row_stream>);
static_assert(awaitable_stream<pooled_stream>);
static_assert(awaitable_stream<parallel_stream>);
static_assert(awaitable_stream<partition_stream>);
static_assert(awaitable_stream<typed_stream<int>>);
static_assert(awaitable_stream<typed_stream<int, pooled_stream>>);
static_assert(awaitable_stream<typed_stream<int, parallel_stream>>);
static_assert(awaitable_stream<typed_stream<int, partition_stream>>);

static_assert(pausable_stream<row_range>);
static_assert(pausable_stream<row_stream>);
static_assert(pausable_stream<pooled_stream>);
static_assert(pausable_stream<typed_range<int>>);
static_assert(pausable_stream<typed_stream<int>>);
static_assert(pausable_stream<typed_stream<int, pooled_stream>>);
static_assert(!pausable_stream<parallel_range> && !pausable_stream<typed_range<int, parallel_range>>);
static_assert(!pausable_stream<parallel_stream> && !pausable_stream<typed_stream<int, parallel_stream>>);
static_assert(!pausable_stream<partition_range> && !pausable_stream<partition_stream>);

static_assert(!blocking_stream<row_stream> && !awaitable_stream<row_range>, "the two APIs are not mixed up");
static_assert(!blocking_stream<chunk> && !blocking_stream<client>);

/// A stream's verbs give the same types with a completion token as with co_await.
template <class Stream>
concept takes_tokens = awaitable_stream<Stream> && requires(Stream& rows) {
  { rows.next(asio::use_future) } -> std::same_as<std::future<typename decltype(rows.next())::value_type>>;
  { rows.cancel(asio::use_future) } -> std::same_as<std::future<leaving>>;
};
template <class Stream>
concept pauses_by_token = pausable_stream<Stream> && requires(Stream& rows) {
  { rows.pause(pause_options{}, asio::use_future) } -> std::same_as<std::future<void>>;
};
static_assert(takes_tokens<row_stream> && pauses_by_token<row_stream>);
static_assert(takes_tokens<pooled_stream> && pauses_by_token<pooled_stream>);
static_assert(takes_tokens<parallel_stream>);
static_assert(takes_tokens<partition_stream>);
static_assert(takes_tokens<typed_stream<int>> && pauses_by_token<typed_stream<int>>);
static_assert(takes_tokens<typed_stream<int, pooled_stream>> && pauses_by_token<typed_stream<int, pooled_stream>>);
static_assert(takes_tokens<typed_stream<int, parallel_stream>>);
static_assert(takes_tokens<typed_stream<int, partition_stream>>);

/// `stream<T>` exists wherever `stream` does.
static_assert(std::same_as<decltype(std::declval<client&>().stream<int>(from("t"))), typed_range<int>>);
static_assert(
    std::same_as<decltype(std::declval<connection&>().stream<int>(from("t"))), asio::awaitable<typed_stream<int>>>);
static_assert(std::same_as<decltype(std::declval<blocking_transaction&>().stream<int>(from("t"))), typed_range<int>>);
static_assert(
    std::same_as<decltype(std::declval<transaction&>().stream<int>(from("t"))), asio::awaitable<typed_stream<int>>>);
static_assert(std::same_as<decltype(std::declval<pool&>().stream<int>(from("t"))), typed_stream<int, pooled_stream>>);
static_assert(
    std::same_as<decltype(std::declval<result_cache&>().stream<int>(from("t"))), typed_stream<int, pooled_stream>>);
static_assert(std::same_as<decltype(stream_in_parallel<int>("", from("t"))),
                           asio::awaitable<typed_stream<int, parallel_stream>>>);

}  // namespace
}  // namespace concepts_test
