#pragma once
// Conditions on the rows of changes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include <sluice/proto/byte_order.hpp>
#include <sluice/stream/change.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/stream/row.hpp>

#include "query/predicate_node.hpp"
#include "transport/receive_buffer.hpp"

namespace sluice::detail {

/// The condition as the client evaluates it.
/// @par Errors  throws error: bad_query when only the server can, with what to write instead
[[nodiscard]] node_ptr condition_on_client(const predicate& condition);

/// Whether a change has a row that a condition is about; what has none passes.
[[nodiscard]] inline bool has_row(operation what) noexcept {
  return what == operation::insert || what == operation::update || what == operation::remove ||
         what == operation::snapshot;
}

/// Whether a table is called that: schema.name, or the name alone.
[[nodiscard]] bool is_named(const changed_relation& table, std::string_view name) noexcept;

/// A text as the row that conditions read.
class row_image {
 public:
  /// @par Lifetime  until the next call
  [[nodiscard]] row of(std::string_view text) {
    constexpr std::size_t head = sizeof(std::uint16_t) + sizeof(std::uint32_t);
    constexpr std::size_t padding = wire::receive_buffer::padding;  // it is parsed in place
    constexpr std::size_t least = 4096;
    constexpr std::size_t most_kept = std::size_t{1} << 20U;
    const std::size_t size = head + text.size() + padding;
    if (capacity_ < size || (capacity_ > most_kept && size <= most_kept)) {
      const std::size_t larger = size <= most_kept ? std::max(least, 2 * size) : size;
      bytes_ = std::make_unique_for_overwrite<std::byte[]>(larger);
      capacity_ = larger;
    }
    proto::store_big(bytes_.get(), std::uint16_t{1});
    proto::store_big(bytes_.get() + sizeof(std::uint16_t), static_cast<std::uint32_t>(text.size()));
    if (!text.empty()) std::memcpy(bytes_.get() + head, text.data(), text.size());
    std::memset(bytes_.get() + head + text.size(), 0, padding);
    return row{bytes_.get()};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_{0};
};

}  // namespace sluice::detail
