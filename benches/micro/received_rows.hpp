#pragma once
// Rows as they are in a receive buffer, with the padding after them.
#include <cstddef>
#include <cstring>
#include <memory>
#include <sluice/stream/chunk.hpp>
#include <string>

#include "backend.hpp"

namespace sluice::bench {

class received_rows {
 public:
  /// @param document  returns the text of the n-th row
  template <class Document>
  received_rows(std::size_t count, const Document& document) : count_{count} {
    test::backend sent;
    for (std::size_t i = 0; i < count; ++i) sent.data_row(document(i));
    size_ = sent.bytes.size();
    bytes_ = std::make_unique<std::byte[]>(size_ + 64);
    std::memcpy(bytes_.get(), sent.bytes.data(), size_);
  }
  [[nodiscard]] sluice::chunk chunk() const {
    return sluice::chunk{{.begin = bytes_.get(), .end = bytes_.get() + size_, .shape = {}, .walked = nullptr}};
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  std::size_t count_;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_{};
};

}  // namespace sluice::bench
