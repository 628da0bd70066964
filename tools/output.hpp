#pragma once
// Rows on their way to a file descriptor.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <sluice/stream/row.hpp>

#include "options.hpp"

namespace sluice::tool {

// Nobody reads any more: the quiet end of `sluice ... | head`.
struct reader_gone : std::exception {};
// A signal came while the output was stalled.
struct output_interrupted : std::exception {};

// Checks whole documents: UTF-8, structure, depth.
class validator {
 public:
  validator();
  ~validator();
  validator(const validator&) = delete;
  validator& operator=(const validator&) = delete;

  // Throws error (bad_json) with the row's number, from 1.
  void check(row document, std::uint64_t number);

 private:
  struct parser;
  std::unique_ptr<parser> parser_;
};

// Writes documents in one of the formats. Small ones are gathered, so that a chunk is few system calls; large ones go
// straight from the receive buffer.
class output {
 public:
  output(int descriptor, options::format format);

  // Throws error (bad_json) for a document with line breaks that is not JSON.
  void write(row document);
  // Hands all that was gathered to the operating system. Throws reader_gone, output_interrupted, std::system_error.
  void flush();
  // The end of an array; flushes.
  void finish();

 private:
  void put(std::string_view bytes);
  void send(std::string_view bytes);
  [[nodiscard]] std::string_view on_one_line(std::string_view document);

  int descriptor_;
  options::format format_;
  std::uint64_t rows_{0};
  std::string minified_;
  std::string gathered_;
  std::size_t sent_{0};
};

}  // namespace sluice::tool
