#pragma once
// Messages of pgoutput, written field by field.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

class log_message {
 public:
  explicit log_message(char kind) : bytes_(1, kind) {}

  log_message& u8(char value) {
    bytes_ += value;
    return *this;
  }
  log_message& u16(std::uint16_t value) { return number(value, 2); }
  log_message& u32(std::uint32_t value) { return number(value, 4); }
  log_message& u64(std::uint64_t value) { return number(value, 8); }
  log_message& text(std::string_view value) {
    bytes_.append(value).append(1, '\0');
    return *this;
  }
  log_message& bytes(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  /// A row: values as texts, nothing for null.
  log_message& row(const std::vector<std::optional<std::string>>& values) {
    u16(static_cast<std::uint16_t>(values.size()));
    for (const auto& each : values) {
      if (!each)
        u8('n');
      else if (*each == "unchanged")
        u8('u');
      else
        u8('t').u32(static_cast<std::uint32_t>(each->size())).bytes(*each);
    }
    return *this;
  }
  operator const std::string&() const noexcept { return bytes_; }  // NOLINT: it is a text

 private:
  log_message& number(std::uint64_t value, int size) {
    for (int i = size - 1; i >= 0; --i) bytes_ += static_cast<char>(value >> (8 * i) & 0xffU);
    return *this;
  }

  std::string bytes_;
};

inline std::string begin_of(std::uint64_t commit, std::uint32_t xid) {
  return log_message{'B'}.u64(commit).u64(1'000'000).u32(xid);
}
inline std::string commit_of(std::uint64_t commit, std::uint64_t end) {
  return log_message{'C'}.u8(0).u64(commit).u64(end).u64(1'000'000);
}
/// A relation with the columns id, which is its key, and v, an int4 and a text.
inline std::string relation_of(std::uint32_t id, std::string_view name, char identity = 'd') {
  return log_message{'R'}
      .u32(id)
      .text("public")
      .text(name)
      .u8(identity)
      .u16(2)
      .u8(1)
      .text("id")
      .u32(23)
      .u32(0xffffffffU)
      .u8(0)
      .text("v")
      .u32(25)
      .u32(0xffffffffU);
}
inline std::string insert_of(std::uint32_t relation, std::string id, std::optional<std::string> v) {
  return log_message{'I'}.u32(relation).u8('N').row({std::move(id), std::move(v)});
}

// Of transactions that are sent while they run, and of prepared ones.
inline std::string stream_start_of(std::uint32_t xid, bool is_first) {
  return log_message{'S'}.u32(xid).u8(is_first ? 1 : 0);
}
inline std::string stream_stop() { return log_message{'E'}; }
inline std::string stream_commit_of(std::uint32_t xid, std::uint64_t commit, std::uint64_t end) {
  return log_message{'c'}.u32(xid).u8(0).u64(commit).u64(end).u64(1'000'000);
}
inline std::string stream_abort_of(std::uint32_t xid, std::uint32_t part) {
  return log_message{'A'}.u32(xid).u32(part);
}
/// The same message as a part of a running transaction.
inline std::string streamed(const std::string& message, std::uint32_t part) {
  return log_message{message.front()}.u32(part).bytes(std::string_view{message}.substr(1));
}
inline std::string begin_prepare_of(std::uint64_t prepare, std::uint64_t end, std::uint32_t xid, std::string_view gid) {
  return log_message{'b'}.u64(prepare).u64(end).u64(1'000'000).u32(xid).text(gid);
}
/// @param kind  'P', or 'p' for a running one
inline std::string prepare_of(char kind, std::uint64_t prepare, std::uint64_t end, std::uint32_t xid,
                              std::string_view gid) {
  return log_message{kind}.u8(0).u64(prepare).u64(end).u64(1'000'000).u32(xid).text(gid);
}
inline std::string commit_prepared_of(std::uint64_t commit, std::uint64_t end, std::uint32_t xid,
                                      std::string_view gid) {
  return log_message{'K'}.u8(0).u64(commit).u64(end).u64(1'000'000).u32(xid).text(gid);
}
inline std::string rollback_prepared_of(std::uint64_t prepare_end, std::uint64_t end, std::uint32_t xid,
                                        std::string_view gid) {
  return log_message{'r'}.u8(0).u64(prepare_end).u64(end).u64(1'000'000).u64(2'000'000).u32(xid).text(gid);
}

}  // namespace sluice::test
