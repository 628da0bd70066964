#pragma once
// What encrypts the bytes of a link: TLS, or GSSAPI. It uses the link's socket, and never waits.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::wire {

class secured_stream {
 public:
  secured_stream() = default;
  virtual ~secured_stream() = default;
  secured_stream(const secured_stream&) = delete;
  secured_stream& operator=(const secured_stream&) = delete;

  enum class status : std::uint8_t {
    done,
    later,   // nothing can be done until the socket is ready
    ended,   // by the peer
    failed,  // `failure` gives the reason
  };
  struct result {
    status is;
    std::size_t count;  // bytes moved
  };

  // Call it again as long as it returns `later`.
  [[nodiscard]] virtual status handshake() = 0;
  // Fills `into` as far as data has arrived. What one call reads from the socket is bounded.
  [[nodiscard]] virtual result read(std::span<std::byte> into) noexcept = 0;
  // After `later`, the next call begins with the same bytes.
  [[nodiscard]] virtual result write(std::span<const std::byte> from) noexcept = 0;
  // Tells the peer that no more will be sent, if that is possible without waiting.
  virtual void close() noexcept = 0;
  // The socket is being closed: its descriptor may soon be reused.
  virtual void detach() noexcept = 0;

  // Whether there is something to send that did not fit into the socket.
  [[nodiscard]] virtual bool wants_to_send() const noexcept = 0;
  // The system's reason, if the connection did not end by the peer's choice; otherwise 0.
  [[nodiscard]] virtual int system_error() const noexcept = 0;
  // An explanation, with advice.
  [[nodiscard]] virtual const std::string& failure() const noexcept = 0;
  // For messages: "TLS" or "GSSAPI".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

}  // namespace sluice::wire
