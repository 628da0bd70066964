#pragma once
// Writes rows to a file descriptor.
#include <exception>
#include <string_view>

#include <sluice/stream/document_writer.hpp>

namespace sluice::tool {

// The reader has closed the pipe: the quiet end of `sluice ... | head`.
struct reader_gone : std::exception {};
// A signal arrived while the output was stalled.
struct output_interrupted : std::exception {};

// Text of our own. Throws reader_gone, output_interrupted, std::system_error.
void write_output(std::string_view text);

// Writes documents to standard output: unchanged, except that on a terminal anything it would obey is written as JSON
// escapes.
class output {
 public:
  explicit output(document_format format);

  // Throws error (bad_json) for a document with line breaks that is not JSON.
  void write(row document) { writer_.add(document); }
  // Hands everything written so far to the operating system. Throws reader_gone, output_interrupted, std::system_error.
  void flush();
  // Closes an array, and flushes.
  void finish();

 private:
  document_writer writer_;
  bool is_terminal_;
};

}  // namespace sluice::tool
