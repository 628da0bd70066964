#pragma once
// What has been handed out of a transaction that the server sends while it runs.
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "changes/relation_rows.hpp"

namespace sluice::detail {

using told_relations = std::unordered_map<std::uint32_t, std::unique_ptr<relation_rows>>;

class running_transaction {
 public:
  /// A change of a part: of a subtransaction, by its id, or of the transaction itself.
  void count(std::uint32_t part) { ++changes_[part]; }
  /// The part was rolled back.
  void forget(std::uint32_t part) noexcept { changes_.erase(part); }
  /// As many as the transaction would have if it were sent at its end.
  [[nodiscard]] std::uint64_t changes() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [part, count] : changes_) sum += count;
    return sum;
  }

  told_relations relations;  ///< as only it sees them, until it ends

 private:
  std::unordered_map<std::uint32_t, std::uint64_t> changes_;
};

}  // namespace sluice::detail
