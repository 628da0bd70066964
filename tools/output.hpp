#pragma once
// Rows on their way to a file descriptor.
#include <exception>
#include <string_view>

#include <sluice/stream/document_writer.hpp>

namespace sluice::tool {

// Nobody reads any more: the quiet end of `sluice ... | head`.
struct reader_gone : std::exception {};
// A signal came while the output was stalled.
struct output_interrupted : std::exception {};

// A text of ours. Throws reader_gone, output_interrupted, std::system_error.
void write_output(std::string_view text);

// Writes documents to standard output: as they are, but for a terminal, which gets what it would obey in JSON's
// escapes.
class output {
 public:
  explicit output(document_format format);

  // Throws error (bad_json) for a document with line breaks that is not JSON.
  void write(row document) { writer_.add(document); }
  // Hands all that was written to the operating system. Throws reader_gone, output_interrupted, std::system_error.
  void flush();
  // The end of an array; flushes.
  void finish();

 private:
  document_writer writer_;
  bool is_terminal_;
};

}  // namespace sluice::tool
