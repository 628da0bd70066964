#include "rows/object_rows.hpp"

#include <limits>
#include <span>

#include <sluice/proto/byte_order.hpp>

#include "transport/receive_buffer.hpp"

namespace sluice::detail {

namespace {

// A DataRow of one column: its header, the count, and the length of the field.
constexpr std::size_t count_size = 2;
constexpr std::size_t field_length_size = 4;
constexpr std::size_t frame_overhead = proto::header_size + count_size + field_length_size;

void write_frame(char* at, std::size_t document) noexcept {
  auto* const to = reinterpret_cast<std::byte*>(at);
  to[0] = std::byte{'D'};
  proto::store_big(to + 1, static_cast<std::uint32_t>(document + frame_overhead - 1));
  proto::store_big(to + proto::header_size, std::uint16_t{1});
  proto::store_big(to + proto::header_size + count_size, static_cast<std::uint32_t>(document));
}

}  // namespace

/// A few bytes may stand for many: a numeric of ten bytes has up to 131,072 digits.
object_rows::made::kind object_rows::write(object_writer& objects, std::span<const std::byte> body,
                                           std::size_t largest) try {
  const std::size_t before = text_.size();
  text_.limit(largest);
  if (!objects.write(text_, body)) return made::kind::malformed;
  return text_.size() - before > largest ? made::kind::too_large : made::kind::rows;
} catch (const text_too_long&) {
  return made::kind::too_large;
}

object_rows::made object_rows::make(const proto::row_batch& from, object_writer& objects, std::size_t enough,
                                    std::size_t largest, const judge& keeps) {
  constexpr std::size_t padding = wire::receive_buffer::padding;  // documents are parsed in place
  text_.clear();
  made result{.rest = from.begin};
  while (text_.size() < enough) {
    const std::size_t size = proto::row_at(result.rest, from.end, from.shape);
    if (size == 0) break;
    const std::size_t before = text_.size();
    text_.wrote(text_.room(frame_overhead) + frame_overhead);
    const std::span<const std::byte> body{result.rest + proto::header_size, size - proto::header_size};
    const made::kind is = write(objects, body, largest);
    if (is != made::kind::rows) {
      text_.cut(before);
      if (result.count == 0) result.is = is;
      break;
    }
    const std::size_t document = text_.size() - before - frame_overhead;
    char* const row = text_.room(padding) - (text_.size() - before);
    write_frame(row, document);
    result.rest += size;
    const verdict kept =
        keeps == nullptr ? verdict::keep : keeps(reinterpret_cast<const std::byte*>(row) + proto::header_size);
    if (kept == verdict::drop) {
      text_.cut(before);
      continue;
    }
    ++result.count;
    result.bytes += document;
    if (kept == verdict::keep_as_last) break;
  }
  if (result.count != 0) {
    const auto rows = std::as_bytes(std::span{text_.text()});
    result.rows = {.begin = rows.data(),
                   .end = rows.data() + rows.size(),
                   .shape = {.max_body = std::numeric_limits<std::uint32_t>::max()}};
  }
  return result;
}

}  // namespace sluice::detail
