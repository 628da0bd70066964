#pragma once
// A change that owns its texts.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sluice/stream/change.hpp>

namespace sluice::detail {

struct kept_change {
  sluice::operation what{};
  sluice::position at{};
  sluice::position needed_after{};  ///< what the server may be told to be safe as long as this change is not
  std::uint32_t xid{};
  std::string gid{};
  std::chrono::sys_time<std::chrono::microseconds> committed_at{};
  std::shared_ptr<const changed_relation> relation{};  ///< null: it has none
  std::string texts{};                                 ///< the row's, the old row's, the prefix
  std::size_t text_size{};
  std::size_t old_size{};
  bool old_is_key{};
  bool is_cascade{};
  bool restarts_identity{};
  std::vector<std::string_view> unchanged{};  ///< names in the relation

  [[nodiscard]] std::size_t size() const noexcept {
    return sizeof *this + texts.size() + gid.size() + sizeof(std::shared_ptr<void>);
  }
};

/// Whether a change is about a table.
[[nodiscard]] bool has_relation(operation what) noexcept;

/// Makes copies of changes. Those of one table share its description.
class change_keeper {
 public:
  /// @param previous  of the change that was read before it
  /// @par Errors  throws error: as `change::text`
  [[nodiscard]] std::shared_ptr<const kept_change> keep(const change& each, position previous);

 private:
  [[nodiscard]] std::shared_ptr<const changed_relation> known(const changed_relation& what);

  std::unordered_map<std::uint32_t, std::shared_ptr<const changed_relation>> relations_;
};

}  // namespace sluice::detail
