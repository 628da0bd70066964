#pragma once
// Rows as delimited text with a header line: CSV by RFC 4180 (with line feeds, as psql writes it), or the text format
// of COPY, which has tabs between its fields.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <asio/buffer.hpp>

#include <sluice/stream/row.hpp>

namespace sluice::tool {

enum class delimited : std::uint8_t { csv, tsv };

// What NULL is written as, unless the user says: a value that looks like it is quoted (csv) or escaped (tsv).
[[nodiscard]] std::string_view default_null(delimited format) noexcept;
// Throws usage_error for a text that would not end where it should.
void check_null(delimited format, std::string_view text);

class delimited_writer {
 public:
  // A value of a `tsv` that equals `null` can only be told apart if `null` is `\N`.
  delimited_writer(delimited format, std::string null);

  // A row of text columns.
  void add(const row& columns);
  // The header, if there was no row.
  void finish(std::span<const result_column> columns);

  // What was added since the last call. Valid until the next `add` or `finish`.
  [[nodiscard]] asio::const_buffer text();

 private:
  void begin();
  void add_header(std::span<const result_column> columns);
  void add_field(std::string_view value);
  void add_quoted(std::string_view value);
  void add_escaped(std::string_view value);

  delimited format_;
  std::string null_;
  std::string text_;
  bool has_header_{false};
  bool taken_{false};
};

}  // namespace sluice::tool
