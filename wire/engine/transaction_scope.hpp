#pragma once
// Whose transaction block the session is in. Portals live in one: the caller's, or one that is begun for the first of
// them and ends with the last.
#include <cstdint>
#include <string>

namespace sluice::wire {

class transaction_scope {
 public:
  /// As the last ReadyForQuery told it: I, T or E.
  [[nodiscard]] char status() const noexcept { return status_; }
  [[nodiscard]] bool is_idle() const noexcept { return status_ == 'I'; }
  /// Whether what is sent now runs in a block.
  [[nodiscard]] bool in_block() const noexcept { return owns_block_ || (status_ != 'I' && endings_ == 0); }
  /// The block that what is sent now runs in is the caller's.
  [[nodiscard]] bool in_callers_block() const noexcept { return !owns_block_ && in_block(); }
  [[nodiscard]] bool has_portals() const noexcept { return portals_ != 0; }
  /// All portals are closed, and the COMMIT of their block is under way.
  [[nodiscard]] bool is_ending() const noexcept { return portals_ == 0 && endings_ != 0; }

  /// No two portals of a session have the same name.
  [[nodiscard]] std::string new_portal_name() { return "sluice_" + std::to_string(++names_); }
  /// A portal's flight is out, behind a BEGIN where there was no block.
  void opened() noexcept {
    owns_block_ = owns_block_ || !in_block();
    ++portals_;
  }
  /// A portal is at its end.
  /// @return whether its block ends with it: COMMIT is what has to be sent, and `ended` to be told
  [[nodiscard]] bool closed() noexcept {
    --portals_;
    if (!owns_block_ || portals_ != 0) return false;
    owns_block_ = false;
    ++endings_;
    return true;
  }
  /// A portal has gone with its query, and nothing will be sent for it any more.
  void lost() noexcept { --portals_; }
  /// ReadyForQuery.
  void ready(char status) noexcept { status_ = status; }
  /// COMMIT, or the ROLLBACK that had to follow, was answered by `ready`.
  /// @return whether the block has ended. A late request to cancel may have hit COMMIT: then it has to be rolled back
  [[nodiscard]] bool ended() noexcept {
    if (status_ != 'I') return false;
    --endings_;
    return true;
  }

 private:
  char status_{'I'};
  bool owns_block_{false};
  std::uint32_t portals_{0};
  std::uint32_t endings_{0};  // blocks of ours whose end is under way
  std::uint64_t names_{0};
};

}  // namespace sluice::wire
