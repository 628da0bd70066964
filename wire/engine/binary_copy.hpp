#pragma once
// COPY TO STDOUT in the binary format: a header, a tuple per CopyData, and a trailer. A tuple is written as the body of
// a DataRow, so that rows are walked over where they lie; here comes only what is not simply a row.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::wire {

class binary_copy {
 public:
  /// What a CopyData holds.
  struct part {
    enum class kind : std::uint8_t {
      header,    ///< rows follow; the first one may stand behind it in the same message
      trailer,   ///< no row follows
      malformed  ///< `why`
    };
    kind is{kind::malformed};
    std::span<const std::byte> row{};  ///< behind the header; empty: none
    std::string_view why{};
  };

  /// CopyOutResponse.
  /// @return whether it is in the binary format and has so many columns
  [[nodiscard]] static bool is_expected(std::span<const std::byte> body, std::size_t columns);
  /// @pre no call before gave the trailer or failed
  [[nodiscard]] part on_data(std::span<const std::byte> body) noexcept;
  /// The trailer was there.
  [[nodiscard]] bool is_whole() const noexcept { return is_ == state::over; }

 private:
  enum class state : std::uint8_t { header, rows, over };

  state is_{state::header};
};

}  // namespace sluice::wire
