#pragma once
// The messages of one connection, a line each: what PQtrace is for libpq, without anything secret.
#include <cstddef>
#include <span>
#include <vector>

#include <sluice/wire/observer.hpp>

namespace sluice::wire {

class message_trace {
 public:
  explicit message_trace(observer& watch) noexcept : watch_{watch} {}

  // Bytes as they went or came, in pieces of any size; never throws: what there is no memory for is not told.
  void sent(std::span<const std::byte> bytes) noexcept;
  void received(std::span<const std::byte> bytes) noexcept;

 private:
  // Cuts one direction into messages; keeps of each no more than what is told.
  struct direction {
    std::vector<std::byte> head;
    std::size_t to_pass{0};  // of a message that has been told
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
  bool is_starting_{true};         // the next message of ours has no type
  bool awaits_tls_answer_{false};  // one byte, S or N
};

}  // namespace sluice::wire
