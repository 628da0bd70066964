#pragma once
// Everything that a decoded message points at; it must lie within the body that the message was decoded from.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>
#include "messages/backend.hpp"
#include "messages/error_fields.hpp"

#include "bytes.hpp"

namespace sluice::test {

/// Collects everything that a message points at.
using pieces = std::vector<std::span<const std::byte>>;

inline void add(pieces& to, std::span<const std::byte> each) { to.push_back(each); }
inline void add(pieces& to, std::string_view text) { to.push_back(as_bytes(text)); }
inline void add(pieces& to, const std::optional<std::span<const std::byte>>& value) {
  to.push_back(value.value_or(std::span<const std::byte>{}));
}
inline void add(pieces& /*to*/, std::uint32_t /*type*/) {}
inline void add(pieces& to, const proto::column& c) { add(to, c.name); }
template <class Field>
void add(pieces& to, const proto::packed_list<Field>& list) {
  std::size_t seen = 0;
  for (const auto& field : list) {
    add(to, field);
    ++seen;
  }
  if (seen != list.size()) throw std::logic_error{"a list has not as many fields as it says"};
}
inline void add(pieces& to, const proto::authentication& m) {
  add(to, m.data);
  add(to, m.mechanisms);
}
inline void add(pieces& to, const proto::backend_key_data& m) { add(to, m.key); }
inline void add(pieces& to, const proto::negotiate_protocol_version& m) { add(to, m.unknown_options); }
inline void add(pieces& to, const proto::parameter_status& m) {
  add(to, m.name);
  add(to, m.value);
}
inline void add(pieces& /*to*/, const proto::ready_for_query& /*m*/) {}
inline void add(pieces& to, const proto::command_complete& m) { add(to, m.tag); }
inline void add(pieces& to, const proto::copy_response& m) { add(to, m.formats); }
inline void add(pieces& to, const proto::notification_response& m) {
  add(to, m.channel);
  add(to, m.payload);
}
inline void add(pieces& to, const proto::error_fields& m) {
  for (const std::string_view text :
       {m.localized_severity, m.severity, m.sqlstate, m.message, m.detail, m.hint, m.internal_query, m.where, m.schema,
        m.table, m.column, m.data_type, m.constraint, m.file, m.line, m.routine})
    add(to, text);
}

inline bool lies_within(const pieces& all, std::span<const std::byte> body) {
  const std::less_equal<> not_after;
  return std::ranges::all_of(all, [&](std::span<const std::byte> each) {
    return each.empty() ||
           (not_after(body.data(), each.data()) && not_after(each.data() + each.size(), body.data() + body.size()));
  });
}

}  // namespace sluice::test
