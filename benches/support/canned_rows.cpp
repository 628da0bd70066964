#include "canned_rows.hpp"

#include <algorithm>
#include <bit>
#include <string_view>

#include "backend.hpp"

namespace sluice::bench {

namespace {

using test::be16;
using test::be32;

constexpr std::uint64_t first_id{1'000'000};  // always seven digits, so that all documents have the same fields
constexpr std::uint64_t ids{1'000'000};

/// The fields of a row of `canned_columns`, with its field count; the same size for each.
std::string columns_of(std::uint64_t id) {
  const auto field = [](const std::string& value) { return be32(static_cast<std::uint32_t>(value.size())) + value; };
  const auto be64 = [](std::uint64_t value) {
    return be32(static_cast<std::uint32_t>(value >> 32U)) + be32(static_cast<std::uint32_t>(value));
  };
  const std::uint64_t number = first_id + id % ids;
  constexpr std::uint64_t since_2000{788'918'400'000'000};  // in microseconds
  const auto hundredths = static_cast<std::uint32_t>(100 * (id % 100));
  const std::string total =
      be16(2) + be16(0) + be16(0) + be16(2) + be16(static_cast<std::uint32_t>(1 + id % 9'999)) + be16(hundredths);
  return be16(canned_columns.size()) + field(be64(number)) + field("user " + std::to_string(number)) + field(total) +
         field(be64(since_2000 + id * 1'234'567)) + field(std::string(1, static_cast<char>(id % 2))) +
         field(be32(static_cast<std::uint32_t>(18 + id % 60))) + field("suspended") +
         field(be64(std::bit_cast<std::uint64_t>(static_cast<double>(id % 100'000) / 100)));
}

std::string row_message(row_block::kind what, std::size_t document_size, std::uint64_t id) {
  test::backend message;
  if (document_size == of_columns)
    return message.message(what == row_block::kind::data_row ? 'D' : 'd', columns_of(id)).bytes;
  const std::string document = json_document(document_size, id);
  switch (what) {
    case row_block::kind::data_row: message.data_row(document); break;
    case row_block::kind::copy_text: message.message('d', document + '\n'); break;
    case row_block::kind::copy_binary:
      message.message('d', be16(1) + be32(static_cast<std::uint32_t>(document.size())) + document);
      break;
  }
  return message.bytes;
}

}  // namespace

std::string json_document(std::size_t size, std::uint64_t id) {
  const std::string digits = std::to_string(first_id + id % ids);
  const std::string fields[] = {
      "\"id\":" + digits,
      ",\"name\":\"user " + digits + "\"",
      id % 3 == 0 ? ",\"active\":false" : ",\"active\":true ",
      ",\"profile\":{\"age\":" + std::to_string(18 + id % 60) + ",\"city\":\"Lyon\"}",
  };
  constexpr std::string_view filler_start{",\"text\":\""};
  constexpr std::string_view words{"the gate lets through what the channel below can take and "};

  std::string text{"{"};
  for (const std::string& field : fields) {
    if (text.size() + field.size() + 1 > size) break;
    text += field;
  }
  if (text.size() > 1 && text.size() + filler_start.size() + 2 <= size) {
    text += filler_start;
    while (text.size() + 2 < size) text += words.substr(0, size - 2 - text.size());
    text += '"';
  }
  text.append(size - 1 - text.size(), ' ');
  return text + '}';
}

row_block make_row_block(row_block::kind what, std::size_t document_size, std::size_t block_size) {
  row_block block;
  block.row_size = row_message(what, document_size, 0).size();
  block.rows = std::max<std::size_t>(1, block_size / block.row_size);
  block.bytes.reserve(block.rows * block.row_size);
  for (std::size_t i = 0; i < block.rows; ++i) block.bytes += row_message(what, document_size, i);
  return block;
}

}  // namespace sluice::bench
