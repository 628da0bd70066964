#pragma once
// A row with one document.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <sluice/stream/row.hpp>

#include "backend.hpp"
#include "bytes.hpp"

namespace sluice::test {

/// Padded as in a receive buffer, and with nothing after that.
class document_row {
 public:
  explicit document_row(std::string_view json) {
    constexpr std::size_t header = 5;  // of a message
    constexpr std::size_t padding = 64;
    const std::string body = backend{}.data_row(json).bytes.substr(header);
    bytes_ = std::make_unique<std::byte[]>(body.size() + padding);
    std::ranges::copy(as_bytes(body), bytes_.get());
  }
  [[nodiscard]] sluice::row row() const { return sluice::row{bytes_.get()}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace sluice::test
