#pragma once
/// @file
/// The messages that a client sends: plain structs named as in the protocol, and one `encode` for each.
///
/// A query is one message group: encode Parse, Bind, Describe, Execute and Sync into one buffer and write it once. A
/// message is encoded completely or not at all.
/// @see PostgreSQL documentation, section "Message Formats"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sluice/proto/fault.hpp>
#include "messages/value_format.hpp"

namespace sluice::proto {

using output = std::vector<std::byte>;

/// A value for `$n`.
struct parameter {
  std::optional<std::string_view> value{};  ///< nothing: NULL
  bool binary{false};                       ///< in the type's binary format instead of text
};

/// One name and value of a StartupMessage.
struct startup_parameter {
  std::string_view name{};
  std::string_view value{};
};

struct ssl_request {
  static constexpr std::uint32_t code = 80877103;  ///< in place of a protocol version
};
struct gss_request {
  static constexpr std::uint32_t code = 80877104;  ///< in place of a protocol version
};
struct startup_message {
  std::uint16_t major{3};
  std::uint16_t minor{0};
  std::span<const startup_parameter> parameters{};  ///< `user` is required by the server
};
struct cancel_request {
  static constexpr std::uint32_t code = 80877102;  ///< in place of a protocol version
  std::uint32_t pid{};
  std::span<const std::byte> key{};  ///< from BackendKeyData: 4 bytes in protocol 3.0, 4 to 256 in 3.2
};

/// The answer to a password request, in clear text or hashed with MD5.
struct password_message {
  std::string_view text{};
};
struct sasl_initial_response {
  std::string_view mechanism{};
  std::string_view data{};
};
struct sasl_response {
  std::string_view data{};
};
/// A token of the client's GSSAPI context.
struct gss_response {
  std::span<const std::byte> token{};
};

struct query {
  std::string_view sql{};
};
struct parse {
  std::string_view statement{};  ///< empty: the unnamed statement
  std::string_view sql{};
  std::span<const std::uint32_t> parameter_types{};  ///< OIDs; 0, or omitted at the end: the server infers the type
};
struct bind {
  std::string_view portal{};
  std::string_view statement{};
  std::span<const parameter> parameters{};
  std::span<const value_format> result_formats{};  ///< none: all columns in text; one: of all; or one per column
};
struct describe {
  enum class kind : char { statement = 'S', portal = 'P' };
  kind what{kind::portal};
  std::string_view name{};
};
struct execute {
  std::string_view portal{};
  std::uint32_t max_rows{};  ///< 0: no limit
};
struct close {
  describe::kind what{describe::kind::portal};
  std::string_view name{};
};
struct sync {};
struct flush {};
struct terminate {};
/// Any part of the data: it may begin and end anywhere.
struct copy_data {
  std::span<const std::byte> data{};
};
struct copy_done {};
struct copy_fail {
  std::string_view reason{};
};

/// Appends the message to `out`.
/// @return a fault, with `out` unchanged, when the protocol cannot carry the message: a zero byte in a name, a text or
/// SQL; more than 65,535 parameters; a value or message of 1 GiB or more; a start-up packet over 10,000 bytes. Sizes
/// are checked before any byte is read
/// @par Exception safety  strong: only growing `out` can throw
fault encode(const ssl_request& message, output& out);
fault encode(const gss_request& message, output& out);
fault encode(const startup_message& message, output& out);
fault encode(const cancel_request& message, output& out);
fault encode(const password_message& message, output& out);
fault encode(const sasl_initial_response& message, output& out);
fault encode(const sasl_response& message, output& out);
fault encode(const gss_response& message, output& out);
fault encode(const query& message, output& out);
fault encode(const parse& message, output& out);
fault encode(const bind& message, output& out);
fault encode(const describe& message, output& out);
fault encode(const execute& message, output& out);
fault encode(const close& message, output& out);
fault encode(const sync& message, output& out);
fault encode(const flush& message, output& out);
fault encode(const terminate& message, output& out);
fault encode(const copy_data& message, output& out);
fault encode(const copy_done& message, output& out);
fault encode(const copy_fail& message, output& out);

/// Puts these formats of the result into a Bind that was encoded without any.
/// @pre `bind` is that message alone
/// @return a fault, with `bind` unchanged, when the message would be too long
/// @par Exception safety  strong: std::bad_alloc
fault set_result_formats(output& bind, std::span<const value_format> formats);

}  // namespace sluice::proto
