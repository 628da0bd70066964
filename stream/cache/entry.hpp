#pragma once
// One stored result, in one block of memory: its rows, as the server sent them, then this object, then the values of
// its query. What follows the rows is at the same time the padding that simdjson needs.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sluice/proto/row_walk.hpp>

namespace sluice::detail {

struct family;

/// Rows one after the other, without gaps.
struct stored_rows {
  std::span<const std::byte> bytes{};
  proto::row_shape shape{};
  std::uint32_t count{};
};

class entry {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What a result is known by, and since when it is valid.
  struct identity {
    family* of{};
    std::string_view values{};
    std::uint32_t hash{};
    std::uint64_t version{};  ///< of the store, when the query was about to be sent
    time_point began{};       ///< the same as a time
  };

  /// With one user.
  [[nodiscard]] static entry* make(const identity& known_by, const stored_rows& rows);
  static void destroy(entry* which) noexcept;
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;

  /// Bytes of the block.
  [[nodiscard]] static std::size_t size_of(std::size_t rows, std::size_t values) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_of(rows_size_, values_size_); }
  [[nodiscard]] std::size_t rows_size() const noexcept { return rows_size_; }

  [[nodiscard]] family& of() const noexcept { return *of_; }
  [[nodiscard]] std::string_view values() const noexcept {
    return {reinterpret_cast<const char*>(this + 1), values_size_};
  }
  [[nodiscard]] std::uint32_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
  [[nodiscard]] time_point began() const noexcept { return began_; }
  [[nodiscard]] std::uint32_t row_count() const noexcept { return row_count_; }
  /// @par Lifetime  as long as the caller is a user
  [[nodiscard]] proto::row_batch rows() const noexcept {
    const std::byte* const begin = block();
    return {.begin = begin,
            .end = begin + rows_size_,
            .shape = {.columns = columns_, .type = type_, .max_body = rows_size_},
            .walked = nullptr};
  }
  /// Bytes of the documents or values, without what the protocol adds.
  [[nodiscard]] std::size_t document_bytes() const noexcept;

  void add_user() noexcept { ++users_; }
  /// @return whether it was the last one
  [[nodiscard]] bool remove_user() noexcept { return --users_ == 0; }
  [[nodiscard]] bool is_being_read() const noexcept { return users_ > 1; }

 private:
  entry(const identity& known_by, const stored_rows& rows) noexcept;
  ~entry() = default;
  [[nodiscard]] static std::size_t before_entry(std::size_t rows) noexcept {
    return (rows + alignof(entry) - 1) / alignof(entry) * alignof(entry);
  }
  [[nodiscard]] const std::byte* block() const noexcept {
    return reinterpret_cast<const std::byte*>(this) - before_entry(rows_size_);
  }

  family* of_;
  std::uint64_t version_;
  time_point began_;
  std::uint32_t users_{1};
  std::uint32_t hash_;
  std::uint32_t rows_size_;
  std::uint32_t values_size_;
  std::uint32_t row_count_;
  std::uint16_t columns_;
  std::byte type_;
};

}  // namespace sluice::detail
