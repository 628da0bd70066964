#pragma once
// The fields that the decoding clients read from each replayed document.
#include <cstdint>
#include <sluice/stream/typed.hpp>
#include <string_view>

namespace sluice::bench {

struct user {
  std::int64_t id{};
  std::string_view name;
  bool active{};
};
SLUICE_JSON(user, id, name, active)

/// As a program that uses simdjson directly would write it.
inline user read_by_hand(simdjson::ondemand::document& document) {
  user who;
  who.id = document["id"].get_int64();
  who.name = document["name"].get_string();
  who.active = document["active"].get_bool();
  return who;
}

/// Uses the values, so that the compiler cannot remove the reads.
class seen_users {
 public:
  void add(const user& who) noexcept {
    sum_ += static_cast<std::uint64_t>(who.id) + who.name.size() + (who.active ? 1U : 0U);
  }
  void require_some() const {
    if (sum_ == 0) throw std::runtime_error{"no fields were read"};
  }

 private:
  std::uint64_t sum_{};
};

}  // namespace sluice::bench
