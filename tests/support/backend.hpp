#pragma once
// A server's messages, built as bytes: backend{}.parse_complete().data_row("{}").bytes
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

inline std::string be16(std::uint32_t value) {
  return {static_cast<char>((value >> 8U) & 0xffU), static_cast<char>(value & 0xffU)};
}
inline std::string be32(std::uint32_t value) { return be16(value >> 16U) + be16(value & 0xffffU); }
inline std::string be64(std::uint64_t value) {
  return be32(static_cast<std::uint32_t>(value >> 32U)) + be32(static_cast<std::uint32_t>(value));
}

struct backend {
  std::string bytes;

  struct column {
    std::string_view name;
    std::uint32_t type;  // OID
  };

  backend& message(char type, std::string_view body) {
    bytes += type;
    bytes += be32(static_cast<std::uint32_t>(body.size() + 4));
    bytes += body;
    return *this;
  }

  backend& authentication(std::uint32_t code, std::string_view data = {}) {
    return message('R', be32(code) + std::string{data});
  }
  backend& authentication_ok() { return authentication(0); }
  backend& parameter_status(std::string_view name, std::string_view value) {
    return message('S', zero_ended(name) + zero_ended(value));
  }
  backend& backend_key_data(std::uint32_t pid, std::string_view key) {
    return message('K', be32(pid) + std::string{key});
  }
  backend& ready_for_query(char status = 'I') { return message('Z', {&status, 1}); }

  backend& parse_complete() { return message('1', {}); }
  backend& bind_complete() { return message('2', {}); }
  backend& no_data() { return message('n', {}); }
  backend& empty_query_response() { return message('I', {}); }
  backend& portal_suspended() { return message('s', {}); }
  backend& parameter_description(std::initializer_list<std::uint32_t> types) {
    std::string body = be16(static_cast<std::uint32_t>(types.size()));
    for (const std::uint32_t type : types) body += be32(type);
    return message('t', body);
  }
  backend& row_description(std::initializer_list<column> columns) {
    return row_description(std::vector<column>{columns});
  }
  backend& row_description(const std::vector<column>& columns) {
    std::string body = be16(static_cast<std::uint32_t>(columns.size()));
    for (const column& c : columns)
      body += zero_ended(c.name) + be32(0) + be16(0) + be32(c.type) + be16(0xffff) + be32(0xffffffff) + be16(0);
    return message('T', body);
  }
  /// One column of type json, the shape of most streams.
  backend& row_description() { return row_description({{"data", 114}}); }
  backend& data_row(std::initializer_list<std::optional<std::string_view>> values) {
    std::string body = be16(static_cast<std::uint32_t>(values.size()));
    for (const auto& value : values)
      body += value ? be32(static_cast<std::uint32_t>(value->size())) + std::string{*value} : be32(0xffffffff);
    return message('D', body);
  }
  backend& data_row(std::string_view json) { return data_row({std::optional<std::string_view>{json}}); }
  backend& command_complete(std::string_view tag) { return message('C', zero_ended(tag)); }

  backend& error(std::string_view sqlstate, std::string_view text, std::string_view severity = "ERROR") {
    return message('E', fields(sqlstate, text, severity));
  }
  backend& notice(std::string_view text = "a notice", std::string_view sqlstate = "00000",
                  std::string_view severity = "NOTICE") {
    return message('N', fields(sqlstate, text, severity));
  }
  backend& notification(std::string_view channel, std::string_view payload) {
    return message('A', be32(4711) + zero_ended(channel) + zero_ended(payload));
  }

  static std::string zero_ended(std::string_view text) { return std::string{text} + '\0'; }
  static std::string fields(std::string_view sqlstate, std::string_view text, std::string_view severity) {
    return 'S' + zero_ended(severity) + 'V' + zero_ended(severity) + 'C' + zero_ended(sqlstate) + 'M' +
           zero_ended(text) + '\0';
  }
};

}  // namespace sluice::test
