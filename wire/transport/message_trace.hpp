#pragma once
// The messages of one connection, one line each: like libpq's PQtrace, but without secrets.
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <sluice/wire/observer.hpp>

namespace sluice::wire {

class message_trace {
 public:
  explicit message_trace(observer& watch) noexcept : watch_{watch} {}

  // Takes bytes as they were sent or received, in pieces of any size. Never throws: a message is omitted if memory runs
  // out.
  void sent(std::span<const std::byte> bytes) noexcept;
  void received(std::span<const std::byte> bytes) noexcept;

 private:
  // Splits one direction into messages, and keeps no more of each than is shown.
  struct direction {
    std::vector<std::byte> head;
    std::size_t to_pass{0};  // of a message that has been reported
  };
  template <class Tell>
  std::span<const std::byte> cut(direction& way, std::span<const std::byte> bytes, std::size_t header,
                                 const Tell& tell);
  void tell_start(std::span<const std::byte> head, std::size_t size);
  void tell_frontend(std::span<const std::byte> head, std::size_t size);
  void tell_backend(std::span<const std::byte> head, std::size_t size);

  observer& watch_;
  direction frontend_;
  direction backend_;
  bool is_starting_{true};      // the next message of the client has no type byte
  std::string_view awaited_{};  // the name of an answer of one byte: S or G, or N; empty: none
};

}  // namespace sluice::wire
