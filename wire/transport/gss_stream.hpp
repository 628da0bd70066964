#pragma once
// Encryption by GSSAPI on a socket that is never waited for: first the tokens of a context go back and forth, then what
// it has wrapped.
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "transport/gss_context.hpp"
#include "transport/secured_stream.hpp"

namespace sluice::wire {

class gss_stream final : public secured_stream {
 public:
  // The context is stepped by the caller between handshakes, because a step may block.
  gss_stream(std::shared_ptr<gss_context> with, int descriptor) : context_{std::move(with)}, descriptor_{descriptor} {}

  // Has the context's token sent by the next handshakes, which then wait for the server's if the context is not
  // established.
  // Throws std::bad_alloc.
  void begin_exchange();
  // Sends and receives one token each; never calls GSSAPI.
  [[nodiscard]] status handshake() override;
  // What the handshake has received.
  [[nodiscard]] std::span<const std::byte> token() const noexcept { return token_; }

  [[nodiscard]] result read(std::span<std::byte> into) noexcept override;
  [[nodiscard]] result write(std::span<const std::byte> from) noexcept override;
  void close() noexcept override {}  // GSSAPI has no such message
  void detach() noexcept override { descriptor_ = -1; }
  [[nodiscard]] bool wants_to_send() const noexcept override { return !out_.empty(); }
  [[nodiscard]] int system_error() const noexcept override { return error_; }
  [[nodiscard]] const std::string& failure() const noexcept override { return failure_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "GSSAPI"; }

 private:
  [[nodiscard]] status fail(std::string why) noexcept;
  [[nodiscard]] status flush() noexcept;
  [[nodiscard]] status receive(std::size_t& budget);
  [[nodiscard]] status next_packet(std::size_t most, std::size_t& budget, std::span<const std::byte>& content);
  [[nodiscard]] status fill(std::size_t& budget);
  [[nodiscard]] status encrypt(std::span<const std::byte> from);

  std::shared_ptr<gss_context> context_;
  int descriptor_;
  int error_{0};
  std::string failure_;
  std::vector<std::byte> token_;
  bool awaits_token_{false};
  bool has_heard_{false};
  std::size_t most_plain_{0};        // that fits into a packet; 0: not asked yet
  std::unique_ptr<std::byte[]> in_;  // received, from `in_start_` to `in_end_`; null while nothing is
  std::size_t in_start_{0};
  std::size_t in_end_{0};
  std::vector<std::byte> plain_;  // decrypted, from `plain_start_`
  std::size_t plain_start_{0};
  std::vector<std::byte> out_;  // packets, of which `out_sent_` bytes are gone
  std::size_t out_sent_{0};
  std::size_t out_plain_{0};  // bytes that are in these packets
};

}  // namespace sluice::wire
