#pragma once
/// @file
/// The messages that a client reads, field by field, in protocol 3.0 and 3.2.
///
/// There is one `decode_...` for each. It returns nothing unless the fields fill the body exactly and hold permitted
/// values, so its result can be used unchecked. ErrorResponse and NoticeResponse are in `error_fields.hpp`; the rows of
/// a stream are walked by `row_walk.hpp` and do not pass through here.
/// @par Lifetime  all texts, spans and lists are views into the decoded body
/// @see PostgreSQL documentation, section "Message Formats"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "messages/packed_list.hpp"

namespace sluice::proto {

/// A zero-terminated text in a list.
struct text_field {
  [[nodiscard]] static std::string_view read(body_reader& in) noexcept { return in.text(); }
};
/// A type's OID in a list.
struct oid_field {
  [[nodiscard]] static std::uint32_t read(body_reader& in) noexcept { return in.u32(); }
};
/// A format code in a list: 0 is text, 1 is binary.
struct format_field {
  [[nodiscard]] static std::uint16_t read(body_reader& in) noexcept { return in.u16(); }
};
/// A column's value in a list; nothing for NULL.
struct value_field {
  [[nodiscard]] static std::optional<std::span<const std::byte>> read(body_reader& in) noexcept;
};

/// 'R': which authentication the server asks for, or that it is satisfied.
struct authentication {
  enum class kind : std::uint32_t {
    ok = 0,
    kerberos_v5 = 2,
    cleartext_password = 3,
    md5_password = 5,
    gss = 7,
    gss_continue = 8,
    sspi = 9,
    sasl = 10,
    sasl_continue = 11,
    sasl_final = 12,
  };
  kind what{};
  std::array<std::byte, 4> salt{};       ///< md5_password
  packed_list<text_field> mechanisms{};  ///< sasl
  std::span<const std::byte> data{};     ///< sasl_continue, sasl_final, gss_continue

  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
  }
};

/// 'K': what a CancelRequest has to present.
struct backend_key_data {
  std::uint32_t pid{};
  std::span<const std::byte> key{};  ///< 4 to 256 bytes
};

/// 'v': the newest minor version of protocol 3 that the server supports, and the options that it does not recognise.
struct negotiate_protocol_version {
  std::uint32_t newest_minor{};
  packed_list<text_field> unknown_options{};
};

/// 'S': the current value of one run-time parameter.
struct parameter_status {
  std::string_view name{};
  std::string_view value{};
};

/// 'Z': the server is ready for the next query.
struct ready_for_query {
  char status{};  ///< I: idle; T: in a transaction block; E: in a failed one
};

/// One column of a RowDescription.
struct column {
  std::string_view name{};
  std::uint32_t table{};     ///< OID, 0 if it is not a column of a table
  std::int16_t attribute{};  ///< number in the table, or 0
  std::uint32_t type{};      ///< OID
  std::int16_t type_size{};  ///< bytes; negative: variable
  std::int32_t modifier{};   ///< of the type; -1: none
  std::int16_t format{};     ///< 0: text; 1: binary

  [[nodiscard]] static column read(body_reader& in) noexcept;
};

using row_description = packed_list<column>;           ///< 'T'
using parameter_description = packed_list<oid_field>;  ///< 't'
using data_row = packed_list<value_field>;             ///< 'D'

/// 'C': what the statement did.
struct command_complete {
  std::string_view tag{};  ///< "SELECT 42", "INSERT 0 1", "BEGIN"

  /// The number at the end of the tag; nothing if there is none, as in "BEGIN".
  [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept;
};

/// 'G', 'H', 'W': COPY begins.
struct copy_response {
  bool binary{};
  packed_list<format_field> formats{};  ///< of the columns
};

/// 'A': a NOTIFY from some session.
struct notification_response {
  std::uint32_t pid{};
  std::string_view channel{};
  std::string_view payload{};
};

[[nodiscard]] std::optional<authentication> decode_authentication(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<backend_key_data> decode_backend_key_data(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<negotiate_protocol_version> decode_negotiate_protocol_version(
    std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<parameter_status> decode_parameter_status(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<ready_for_query> decode_ready_for_query(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<row_description> decode_row_description(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<parameter_description> decode_parameter_description(
    std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<data_row> decode_data_row(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<command_complete> decode_command_complete(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<copy_response> decode_copy_response(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<notification_response> decode_notification_response(
    std::span<const std::byte> body) noexcept;
/// For the messages with an empty body: ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse,
/// PortalSuspended, CopyDone. (CopyData has no fields either: its body is the data.)
[[nodiscard]] inline bool is_empty_body(std::span<const std::byte> body) noexcept { return body.empty(); }

}  // namespace sluice::proto
