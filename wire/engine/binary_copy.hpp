#pragma once
// COPY TO STDOUT in the binary format: a header, one tuple per CopyData, and a trailer. A tuple has the same layout as
// the body of a DataRow, so rows are walked in place; this code handles only what is not simply a row.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::wire {

class binary_copy {
 public:
  /// What a CopyData contains.
  struct part {
    enum class kind : std::uint8_t {
      header,    ///< rows follow; the first one may come after it in the same message
      trailer,   ///< no row follows
      malformed  ///< `why`
    };
    kind is{kind::malformed};
    std::span<const std::byte> row{};  ///< after the header; empty: none
    std::string_view why{};
  };

  /// Checks a CopyOutResponse.
  /// @return whether it announces the binary format and this many columns
  [[nodiscard]] static bool is_expected(std::span<const std::byte> body, std::size_t columns);
  /// @pre no earlier call returned the trailer or failed
  [[nodiscard]] part on_data(std::span<const std::byte> body) noexcept;
  /// Whether the trailer has arrived.
  [[nodiscard]] bool is_whole() const noexcept { return is_ == state::over; }

 private:
  enum class state : std::uint8_t { header, rows, over };

  state is_{state::header};
};

}  // namespace sluice::wire
