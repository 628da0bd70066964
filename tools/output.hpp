#pragma once
// Writes rows to a file descriptor.
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <sluice/stream/document_writer.hpp>

#include "delimited.hpp"

namespace sluice::tool {

// The reader has closed the pipe: the quiet end of `sluice ... | head`.
struct reader_gone : std::exception {};
// A signal arrived while the output was stalled.
struct output_interrupted : std::exception {};

// From here on, standard output is this file: created, or emptied, as by the shell's `>`. Throws std::system_error.
void redirect_output(const std::string& file);
// Throws std::system_error if the system says only now that the file could not be written.
void close_output();

// Text of our own. Throws reader_gone, output_interrupted, std::system_error.
void write_output(std::string_view text);

// Bytes that are no text, to standard output. Throws as write_output.
void write_bytes(std::span<const asio::const_buffer> bytes);

// Writes rows to standard output: unchanged, except that on a terminal anything it would obey is written as JSON
// escapes.
class output {
 public:
  explicit output(document_format format);
  output(delimited format, std::string null);

  // Throws error (bad_json) for a document with line breaks that is not JSON.
  void write(const row& each);
  // Hands everything written so far to the operating system. Throws reader_gone, output_interrupted, std::system_error.
  void flush();
  // Closes an array, or writes the header of a result without rows; and flushes.
  void finish(std::span<const result_column> columns);

 private:
  std::variant<document_writer, delimited_writer> writer_;
  bool is_terminal_;
};

}  // namespace sluice::tool
