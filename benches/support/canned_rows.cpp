#include "canned_rows.hpp"

#include <algorithm>
#include <string_view>

#include "backend.hpp"

namespace sluice::bench {

namespace {

using test::be16;
using test::be32;

constexpr std::uint64_t first_id{1'000'000};  // always seven digits, so that all documents have the same fields
constexpr std::uint64_t ids{1'000'000};

std::string row_message(row_block::kind what, std::string_view document) {
  test::backend message;
  switch (what) {
    case row_block::kind::data_row: message.data_row(document); break;
    case row_block::kind::copy_text: message.message('d', std::string{document} + '\n'); break;
    case row_block::kind::copy_binary:
      message.message('d', be16(1) + be32(static_cast<std::uint32_t>(document.size())) + std::string{document});
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
  block.row_size = row_message(what, json_document(document_size, 0)).size();
  block.rows = std::max<std::size_t>(1, block_size / block.row_size);
  block.bytes.reserve(block.rows * block.row_size);
  for (std::size_t i = 0; i < block.rows; ++i) block.bytes += row_message(what, json_document(document_size, i));
  return block;
}

}  // namespace sluice::bench
