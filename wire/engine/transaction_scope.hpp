#pragma once
// Which transaction block the session is in. Portals live in one: the caller's, or one that is begun for the first of
// them and ends with the last.
#include <cstdint>
#include <string>
#include <utility>

namespace sluice::wire {

class transaction_scope {
 public:
  /// As reported by the last ReadyForQuery: I, T or E.
  [[nodiscard]] char status() const noexcept { return status_; }
  [[nodiscard]] bool is_idle() const noexcept { return status_ == 'I'; }
  /// Whether a statement sent now runs in a block.
  [[nodiscard]] bool in_block() const noexcept { return owns_block_ || (status_ != 'I' && endings_ == 0); }
  /// Whether a statement sent now runs in the caller's block.
  [[nodiscard]] bool in_callers_block() const noexcept { return !owns_block_ && in_block(); }
  [[nodiscard]] bool has_portals() const noexcept { return portals_ != 0; }
  /// Whether all portals are closed and the COMMIT of their block has been sent.
  [[nodiscard]] bool is_ending() const noexcept { return portals_ == 0 && endings_ != 0; }

  /// A portal name that is unique within the session.
  [[nodiscard]] std::string new_portal_name() { return "sluice_" + std::to_string(++names_); }
  /// A portal's flight was sent, after a BEGIN if there was no block.
  void opened() noexcept {
    owns_block_ = owns_block_ || !in_block();
    ++portals_;
  }
  /// A portal has ended.
  /// @return whether its block ends with it: then COMMIT has to be sent, and `ended` called
  [[nodiscard]] bool closed() noexcept {
    --portals_;
    if (!owns_block_ || portals_ != 0) return false;
    owns_block_ = false;
    ++endings_;
    return true;
  }
  /// The COMMIT of a block whose last portal has ended could not be sent: whoever is answered last sends it.
  void owe_end() noexcept { owes_end_ = true; }
  [[nodiscard]] bool take_owed_end() noexcept { return std::exchange(owes_end_, false); }
  /// A portal is gone with its query, and nothing more will be sent for it.
  void lost() noexcept { --portals_; }
  /// Handles ReadyForQuery.
  void ready(char status) noexcept { status_ = status; }
  /// COMMIT, or the ROLLBACK that had to follow it, was answered, and `ready` called.
  /// @return whether the block has ended. A late cancel request may have hit COMMIT: then it has to be rolled back
  [[nodiscard]] bool ended() noexcept {
    if (status_ != 'I') return false;
    --endings_;
    return true;
  }

 private:
  char status_{'I'};
  bool owns_block_{false};
  bool owes_end_{false};
  std::uint32_t portals_{0};
  std::uint32_t endings_{0};  // blocks begun here whose end has been sent
  std::uint64_t names_{0};
};

}  // namespace sluice::wire
