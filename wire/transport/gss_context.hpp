#pragma once
// A security context of GSSAPI with a server, on the client's side: it produces and takes tokens, proves both sides to
// each other, and wraps data once it is established. Includes no header of GSSAPI.
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "transport/gss_target.hpp"

namespace sluice::wire {

class gss_context {
 public:
  enum class purpose : std::uint8_t {
    login,       // to know who the other is
    encryption,  // and to wrap data
  };
  gss_context(gss_target with, purpose what);
  ~gss_context();
  gss_context(const gss_context&) = delete;
  gss_context& operator=(const gss_context&) = delete;

  // Why there are no credentials to begin with; empty if there are some, which may have expired. May ask a KDC, and
  // blocks meanwhile.
  [[nodiscard]] static std::string why_no_credentials();

  // Takes the server's token, which is empty at first, and makes the next one. May ask a KDC and a name server, and
  // blocks meanwhile.
  void step(std::span<const std::byte> from_server);
  // What `step` has made for the server; may be empty if the context is established.
  [[nodiscard]] std::span<const std::byte> token() const noexcept { return token_; }
  // Whether both sides know each other.
  [[nodiscard]] bool is_established() const noexcept { return is_established_; }
  // Why not, with GSSAPI's words; empty as long as nothing has failed. Nothing works afterwards.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  // Whether the server's side failed, rather than ours: it did not prove to be the one that was wanted.
  [[nodiscard]] bool is_servers_failure() const noexcept { return has_heard_; }

  // Of an established context for encryption: the most data whose wrapped form is not longer than `most`; 0 on failure.
  [[nodiscard]] std::size_t room_in(std::size_t most);
  // Appends a packet with the wrapped data. False on failure.
  [[nodiscard]] bool wrap(std::span<const std::byte> plain, std::vector<std::byte>& to);
  // Replaces `to` by what is wrapped. False on failure.
  [[nodiscard]] bool unwrap(std::span<const std::byte> wrapped, std::vector<std::byte>& to);

 private:
  struct handles;

  gss_target with_;
  purpose purpose_;
  std::unique_ptr<handles> handles_;
  std::vector<std::byte> token_;
  std::string failure_;
  bool is_established_{false};
  bool has_heard_{false};
};

}  // namespace sluice::wire
