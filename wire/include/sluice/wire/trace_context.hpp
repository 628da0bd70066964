#pragma once
/// @file
/// Which trace, and which span of it, a call belongs to: the W3C trace context, as the header `traceparent` carries it.
///
///     sluice::query_options how;
///     how.parent = sluice::trace_context::parse(request.header("traceparent"));
///     auto rows = pool.stream(what, how);   // its spans go to observer::on_span
///
/// @see https://www.w3.org/TR/trace-context/; docs/telemetry.md

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice {

/// A span's place in its trace. A plain value: two identifiers and the flags.
struct SLUICE_API trace_context {
  std::array<std::byte, 16> trace_id{};  ///< all zero: no trace
  std::array<std::byte, 8> span_id{};
  std::uint8_t flags{};  ///< those of `traceparent` that have a meaning: 1 sampled, 2 the trace's identifier is random

  /// From the value of a header `traceparent`: version, trace, span and flags, in lower case hexadecimal digits. Of
  /// versions after 00, what follows the flags is passed over, as the specification asks.
  /// @par Errors  throws error: bad_state, whose message says what is wrong with which part; a program that takes
  ///              headers from others begins a new trace then
  [[nodiscard]] static trace_context parse(std::string_view traceparent);
  /// The beginning of a new trace, with random identifiers.
  /// @return an empty one in the unlikely case that the system has no random bytes
  [[nodiscard]] static trace_context root() noexcept;

  /// Another span of the same trace, with a random identifier.
  /// @return as `root`
  [[nodiscard]] trace_context child() const noexcept;
  /// Whether the trace is recorded. If not, no spans are reported.
  [[nodiscard]] bool is_sampled() const noexcept { return (flags & 1U) != 0; }
  /// As the header has it, 55 characters.
  [[nodiscard]] std::string to_string() const;
  /// The digits of one part of it.
  [[nodiscard]] std::string trace_id_text() const;
  [[nodiscard]] std::string span_id_text() const;

  friend bool operator==(const trace_context&, const trace_context&) = default;
};

}  // namespace sluice
