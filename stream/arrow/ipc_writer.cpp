#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include <sluice/arrow/ipc.hpp>
#include <sluice/stream/document_writer.hpp>
#include <sluice/wire/error.hpp>

#include "arrow/flat_tables.hpp"

namespace sluice {

namespace {

using detail::flat_tables;

// The enumerations of Arrow's Schema.fbs and Message.fbs.
constexpr std::int16_t version_5 = 4;
constexpr std::int16_t micro = 2;  // TimeUnit
enum class header : std::uint8_t { schema = 1, dictionary_batch = 2, record_batch = 3 };
enum class type_id : std::uint8_t {
  integer = 2,
  floating = 3,
  binary = 4,
  utf8 = 5,
  boolean = 6,
  decimal = 7,
  date = 8,
  time = 9,
  timestamp = 10,
  interval = 11,
  list = 12,
  structure = 13,
  fixed_size_binary = 15,
};

/// How a column's buffers are laid out, apart from its bitmap.
enum class layout : std::uint8_t {
  bits,
  values,   ///< of `width` bytes each
  texts,    ///< offsets and bytes
  offsets,  ///< of a list's elements
  none,     ///< of a struct
};

struct type_info {
  type_id id;
  layout lies;
  std::uint8_t width{};
};

type_info integer(std::uint8_t width) { return {type_id::integer, layout::values, width}; }

std::optional<type_info> info_of(std::string_view format) {
  if (format == "b") return type_info{type_id::boolean, layout::bits};
  if (format == "s") return integer(2);
  if (format == "i" || format == "I") return integer(4);
  if (format == "l") return integer(8);
  if (format == "f") return type_info{type_id::floating, layout::values, 4};
  if (format == "g") return type_info{type_id::floating, layout::values, 8};
  if (format.starts_with("d:")) return type_info{type_id::decimal, layout::values, 16};
  if (format == "u") return type_info{type_id::utf8, layout::texts};
  if (format == "z") return type_info{type_id::binary, layout::texts};
  if (format == "tdD") return type_info{type_id::date, layout::values, 4};
  if (format == "ttu") return type_info{type_id::time, layout::values, 8};
  if (format.starts_with("tsu:")) return type_info{type_id::timestamp, layout::values, 8};
  if (format == "tin") return type_info{type_id::interval, layout::values, 16};
  if (format == "w:16") return type_info{type_id::fixed_size_binary, layout::values, 16};
  if (format == "+l") return type_info{type_id::list, layout::offsets};
  if (format == "+s") return type_info{type_id::structure, layout::none};
  return std::nullopt;
}

type_info required_info_of(const ArrowSchema& of) {
  if (const auto info = info_of(of.format)) return *info;
  throw error{errc::bad_query, "a column of the Arrow type \"" + std::string{of.format} + "\" cannot be written here"};
}

int number_in(std::string_view text) noexcept {
  int number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

flat_tables::table add_type(flat_tables& to, std::string_view format, const type_info& info) {
  using flat = flat_tables;
  switch (info.id) {
    case type_id::integer: return to.add_table({flat::i32(0, 8 * info.width), flat::u8(1, format == "I" ? 0 : 1)});
    case type_id::floating: return to.add_table({flat::i16(0, info.width == 4 ? 1 : 2)});
    case type_id::decimal: {
      const std::size_t comma = std::min(format.find(','), format.size() - 1);
      return to.add_table({flat::i32(0, number_in(format.substr(2))), flat::i32(1, number_in(format.substr(comma + 1))),
                           flat::i32(2, 128)});
    }
    case type_id::date: return to.add_table({flat::i16(0, 0)});  // days
    case type_id::time: return to.add_table({flat::i16(0, micro), flat::i32(1, 64)});
    case type_id::timestamp: {
      const std::string_view zone = format.substr(4);
      if (zone.empty()) return to.add_table({flat::i16(0, micro)});
      const flat::table made = to.add_table({flat::i16(0, micro), flat::offset(1)});
      to.add_string(made.members[1], zone);
      return made;
    }
    case type_id::interval: return to.add_table({flat::i16(0, 2)});  // months, days, nanoseconds
    case type_id::fixed_size_binary: return to.add_table({flat::i32(0, info.width)});
    case type_id::binary:
    case type_id::utf8:
    case type_id::boolean:
    case type_id::list:
    case type_id::structure: break;
  }
  return to.add_table({});
}

/// The metadata of an ArrowSchema: pairs of texts, each after its length.
std::vector<std::string_view> metadata_of(const ArrowSchema& schema) {
  std::vector<std::string_view> texts;
  const char* at = schema.metadata;
  if (at == nullptr) return texts;
  const auto number = [&at] {
    std::int32_t value{};
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
    return static_cast<std::size_t>(value);
  };
  const std::size_t count = 2 * number();
  while (texts.size() != count) {
    const std::size_t size = number();
    texts.emplace_back(at, size);
    at += size;
  }
  return texts;
}

void add_metadata(flat_tables& to, std::size_t from, const std::vector<std::string_view>& texts) {
  const std::size_t first = to.add_vector(from, texts.size() / 2);
  for (std::size_t i = 0; i < texts.size(); i += 2) {
    const flat_tables::table pair = to.add_table({flat_tables::offset(0), flat_tables::offset(1)});
    to.point(first + 4 * (i / 2), pair.at);
    to.add_string(pair.members[0], texts[i]);
    to.add_string(pair.members[1], texts[i + 1]);
  }
}

/// @param dictionaries  how many there are so far: each is numbered
void add_field(flat_tables& to, std::size_t from, const ArrowSchema& schema, std::int64_t& dictionaries) {
  using flat = flat_tables;
  const bool is_encoded = schema.dictionary != nullptr;
  const ArrowSchema& values = is_encoded ? *schema.dictionary : schema;
  const type_info info = required_info_of(values);
  const std::vector<std::string_view> metadata = metadata_of(schema);
  std::vector<flat::member> members{flat::offset(0), flat::u8(1, (schema.flags & ARROW_FLAG_NULLABLE) != 0 ? 1 : 0),
                                    flat::u8(2, static_cast<std::uint8_t>(info.id)), flat::offset(3), flat::offset(5)};
  if (is_encoded) members.push_back(flat::offset(4));
  if (!metadata.empty()) members.push_back(flat::offset(6));
  const flat::table field = to.add_table(std::move(members));
  to.point(from, field.at);
  to.add_string(field.members[0], schema.name == nullptr ? "" : schema.name);
  to.point(field.members[3], add_type(to, values.format, info).at);
  if (is_encoded) {
    const flat::table encoding = to.add_table({flat::i64(0, dictionaries++), flat::offset(1)});
    to.point(field.members[4], encoding.at);
    to.point(encoding.members[1], add_type(to, schema.format, required_info_of(schema)).at);
  }
  const auto count = static_cast<std::size_t>(values.n_children);
  const std::size_t first = to.add_vector(field.members[5], count);
  for (std::size_t i = 0; i < count; ++i) add_field(to, first + 4 * i, *values.children[i], dictionaries);
  if (!metadata.empty()) add_metadata(to, field.members[6], metadata);
}

/// Begins a message.
/// @return its table, whose member 2 is to point to the header
flat_tables::table add_message_table(flat_tables& to, header what, std::int64_t body) {
  using flat = flat_tables;
  const flat::table message = to.add_table(
      {flat::i16(0, version_5), flat::u8(1, static_cast<std::uint8_t>(what)), flat::offset(2), flat::i64(3, body)});
  to.point(0, message.at);
  return message;
}

std::vector<std::byte> schema_message(const ArrowSchema& schema) {
  using flat = flat_tables;
  flat_tables to;
  const flat::table message = add_message_table(to, header::schema, 0);
  const flat::table made =
      to.add_table({flat::i16(0, std::endian::native == std::endian::little ? 0 : 1), flat::offset(1)});
  to.point(message.members[2], made.at);
  const auto count = static_cast<std::size_t>(schema.n_children);
  const std::size_t first = to.add_vector(made.members[1], count);
  std::int64_t dictionaries = 0;
  for (std::size_t i = 0; i < count; ++i) add_field(to, first + 4 * i, *schema.children[i], dictionaries);
  return to.take();
}

constexpr std::size_t alignment = 8;
constexpr std::array<std::byte, alignment> zeros{};

}  // namespace

struct arrow_ipc_writer::column {
  explicit column(const ArrowSchema& of) : info{required_info_of(of)} {
    for (std::int64_t i = 0; i < of.n_children; ++i) children.emplace_back(*of.children[i]);
    if (of.dictionary != nullptr) dictionary.emplace_back(*of.dictionary);
  }
  type_info info;
  std::vector<column> children;
  std::vector<column> dictionary;  // one or none
};

/// Arrays of one message: their metadata, and their buffers in order.
struct arrow_ipc_writer::message {
  using pair = std::array<std::int64_t, 2>;

  header is{header::record_batch};
  std::int64_t dictionary{};
  std::int64_t length{};
  std::vector<pair> nodes{};    // lengths and numbers of nulls
  std::vector<pair> buffers{};  // places in the body, and sizes
  std::vector<asio::const_buffer> pieces{};
  std::size_t body{0};

  void add(const ArrowArray& array, const column& of) {
    nodes.push_back({array.length, array.null_count});
    const auto count = static_cast<std::size_t>(array.length);
    add_buffer(array.buffers[0], array.null_count == 0 ? 0 : (count + 7) / 8);
    switch (of.info.lies) {
      case layout::bits: add_buffer(array.buffers[1], (count + 7) / 8); break;
      case layout::values: add_buffer(array.buffers[1], count * of.info.width); break;
      case layout::texts:
        add_buffer(array.buffers[1], (count + 1) * sizeof(std::int32_t));
        add_buffer(array.buffers[2], last_offset(array));
        break;
      case layout::offsets: add_buffer(array.buffers[1], (count + 1) * sizeof(std::int32_t)); break;
      case layout::none: break;
    }
    for (std::size_t i = 0; i < of.children.size(); ++i) add(*array.children[i], of.children[i]);
  }

  [[nodiscard]] std::vector<std::byte> metadata() const {
    using flat = flat_tables;
    flat_tables to;
    const flat::table whole = add_message_table(to, is, static_cast<std::int64_t>(body));
    std::size_t from = whole.members[2];
    if (is == header::dictionary_batch) {
      const flat::table made = to.add_table({flat::i64(0, dictionary), flat::offset(1), flat::u8(2, 0)});
      to.point(from, made.at);
      from = made.members[1];
    }
    const flat::table batch = to.add_table({flat::i64(0, length), flat::offset(1), flat::offset(2)});
    to.point(from, batch.at);
    to.add_pairs(batch.members[1], nodes);
    to.add_pairs(batch.members[2], buffers);
    return to.take();
  }

 private:
  static std::size_t last_offset(const ArrowArray& array) noexcept {
    std::int32_t end{};
    std::memcpy(&end,
                static_cast<const std::byte*>(array.buffers[1]) + static_cast<std::size_t>(array.length) * sizeof end,
                sizeof end);
    return static_cast<std::size_t>(end);
  }
  void add_buffer(const void* bytes, std::size_t size) {
    buffers.push_back({static_cast<std::int64_t>(body), static_cast<std::int64_t>(size)});
    if (size == 0) return;
    pieces.emplace_back(bytes, size);
    const std::size_t padding = (alignment - size % alignment) % alignment;
    if (padding != 0) pieces.emplace_back(zeros.data(), padding);
    body += size + padding;
  }
};

arrow_ipc_writer::arrow_ipc_writer(const ArrowSchema& schema) {
  for (std::int64_t i = 0; i < schema.n_children; ++i) columns_.emplace_back(*schema.children[i]);
  add_message(schema_message(schema));
}
arrow_ipc_writer::arrow_ipc_writer(arrow_ipc_writer&&) noexcept = default;
arrow_ipc_writer& arrow_ipc_writer::operator=(arrow_ipc_writer&&) noexcept = default;
arrow_ipc_writer::~arrow_ipc_writer() = default;

/// What was handed out before has been written.
void arrow_ipc_writer::begin() {
  if (!taken_) return;
  taken_ = false;
  metadata_.clear();
  pieces_.clear();
}

/// A mark, the size of the metadata, and the metadata.
void arrow_ipc_writer::add_message(std::vector<std::byte> metadata) {
  constexpr std::size_t before = 8;
  std::vector<std::byte> framed(before + metadata.size());
  flat_tables::store(framed.data(), std::uint32_t{0xffffffff});
  flat_tables::store(framed.data() + 4, static_cast<std::uint32_t>(metadata.size()));
  std::memcpy(framed.data() + before, metadata.data(), metadata.size());
  metadata_.push_back(std::move(framed));
  pieces_.emplace_back(metadata_.back().data(), metadata_.back().size());
}

void arrow_ipc_writer::add_batch(const message& what) {
  add_message(what.metadata());
  pieces_.insert(pieces_.end(), what.pieces.begin(), what.pieces.end());
}

void arrow_ipc_writer::add(const ArrowArray& batch) {
  begin();
  std::int64_t dictionaries = 0;
  const auto add_dictionaries = [&](const auto& self, const ArrowArray& array, const column& of) -> void {
    if (!of.dictionary.empty()) {
      message values{.is = header::dictionary_batch, .dictionary = dictionaries++, .length = array.dictionary->length};
      values.add(*array.dictionary, of.dictionary.front());
      add_batch(values);
    }
    for (std::size_t i = 0; i < of.children.size(); ++i) self(self, *array.children[i], of.children[i]);
  };
  message rows{.length = batch.length};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    add_dictionaries(add_dictionaries, *batch.children[i], columns_[i]);
    rows.add(*batch.children[i], columns_[i]);
  }
  add_batch(rows);
}

void arrow_ipc_writer::finish() {
  begin();
  std::vector<std::byte> end(8);
  flat_tables::store(end.data(), std::uint32_t{0xffffffff});
  metadata_.push_back(std::move(end));
  pieces_.emplace_back(metadata_.back().data(), metadata_.back().size());
}

std::span<const asio::const_buffer> arrow_ipc_writer::bytes() {
  if (taken_) return {};
  taken_ = true;
  return pieces_;
}

namespace {

template <class Sink>
std::uint64_t write_to(arrow_reader& batches, Sink&& sink) {
  const arrow_schema schema = batches.schema();
  arrow_ipc_writer writer{schema.schema()};
  std::uint64_t rows = 0;
  for (;;) {
    const arrow_batch batch = batches.next();
    if (batch)
      writer.add(batch.array());
    else
      writer.finish();
    rows += batch.rows();
    sink(writer.bytes());
    if (!batch) return rows;
  }
}

}  // namespace

std::uint64_t write_arrow(arrow_reader& batches, int descriptor) {
  return write_to(batches, [&](auto bytes) { write_all(descriptor, bytes); });
}
std::uint64_t write_arrow(arrow_reader& batches, std::ostream& to) {
  return write_to(batches, [&](auto bytes) { write_all(to, bytes); });
}

}  // namespace sluice
