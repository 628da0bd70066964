#include "output.hpp"

#include <simdjson.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <sluice/wire/error.hpp>

namespace sluice::tool {

namespace {

constexpr std::size_t gather_bytes = 64U << 10U;
constexpr std::size_t large_document = 16U << 10U;

[[noreturn]] void refuse(std::uint64_t row, simdjson::error_code why) {
  throw error{errc::bad_json, "row " + std::to_string(row) + " is not JSON: " + simdjson::error_message(why)};
}

}  // namespace

struct validator::parser {
  simdjson::dom::parser json;
};

validator::validator() : parser_{std::make_unique<parser>()} {}
validator::~validator() = default;

void validator::check(row document, std::uint64_t number) {
  if (document.is_null()) return;
  const std::string_view text = document.text();
  constexpr bool copy_first = false;  // the receive buffer has the padding that simdjson reads
  const auto refused = parser_->json.parse(text.data(), text.size(), copy_first).error();
  if (refused != simdjson::SUCCESS) refuse(number, refused);
}

output::output(int descriptor, options::format format) : descriptor_{descriptor}, format_{format} {
  gathered_.reserve(gather_bytes);
}

void output::write(row document) {
  std::string_view text = document.text();
  ++rows_;
  switch (format_) {
    case options::format::raw: break;
    case options::format::ndjson: text = document.is_null() ? std::string_view{"null"} : on_one_line(text); break;
    case options::format::array:
      if (document.is_null()) text = "null";
      put(rows_ == 1 ? "[" : ",\n");
      break;
  }
  put(text);
  if (format_ != options::format::array) put("\n");
}

void output::finish() {
  if (format_ == options::format::array) put(rows_ == 0 ? "[]\n" : "]\n");
  flush();
}

void output::put(std::string_view bytes) {
  if (gathered_.size() + bytes.size() > gather_bytes) flush();
  if (bytes.size() >= large_document)
    send(bytes);
  else
    gathered_.append(bytes);
}

void output::flush() {
  send(std::string_view{gathered_}.substr(sent_));
  gathered_.clear();
  sent_ = 0;
}

void output::send(std::string_view bytes) {
  const bool gathered = bytes.data() == gathered_.data() + sent_;
  if (!gathered) flush();  // what was gathered before goes first
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      if (gathered) sent_ += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EPIPE) throw reader_gone{};
    if (errno == EINTR) throw output_interrupted{};
    throw std::system_error{errno, std::generic_category(), "standard output"};
  }
}

/// Type json keeps its text, line breaks included; one row is to be one line.
std::string_view output::on_one_line(std::string_view document) {
  if (std::memchr(document.data(), '\n', document.size()) == nullptr) return document;
  std::string& to = minified_;
  to.resize(document.size() + simdjson::SIMDJSON_PADDING);
  std::size_t size = 0;
  const auto refused = simdjson::minify(document.data(), document.size(), to.data(), size);
  if (refused != simdjson::SUCCESS) refuse(rows_, refused);
  return std::string_view{to}.substr(0, size);
}

}  // namespace sluice::tool
