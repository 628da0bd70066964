#pragma once
// The portal of a paged query, from its first Execute to the end of the transaction block that it lives in.
#include <cstdint>
#include <string>
#include <utility>

#include "engine/transaction_scope.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

class portal {
 public:
  enum class state : std::uint8_t {
    planned,       ///< it does not exist on the server yet
    open,          ///< another page may be requested
    closed,        ///< or Close has been sent
    committing,    ///< it was the last one of a block begun for portals: COMMIT has been sent as well
    rolling_back,  ///< a late cancel request hit COMMIT
    over,          ///< the block has ended as well
  };

  /// @pre `in` outlives this
  portal(transaction_scope& in, std::uint32_t page_rows) : in_{in}, name_{in.new_portal_name()}, rows_{page_rows} {}
  portal(const portal&) = delete;
  portal& operator=(const portal&) = delete;
  ~portal() {
    if (is_open()) in_.lost();
  }

  [[nodiscard]] state is() const noexcept { return is_; }
  [[nodiscard]] bool is_open() const noexcept { return is_ == state::open; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether there is no block yet that it could live in.
  [[nodiscard]] bool needs_begin() const noexcept { return !in_.in_block(); }
  /// The message that requests a page.
  [[nodiscard]] proto::execute page() const noexcept { return {.portal = name_, .max_rows = rows_}; }
  [[nodiscard]] proto::close closing() const noexcept { return {proto::describe::kind::portal, name_}; }

  /// Its flight has been sent.
  void opened() noexcept {
    in_.opened();
    is_ = state::open;
  }
  /// No more pages are wanted, but nothing may be sent now. If the block ends with it, that is owed; otherwise it ends
  /// with its block.
  /// @pre it is open
  void close_later() noexcept {
    if (in_.closed()) in_.owe_end();
    is_ = state::closed;
  }
  /// No more pages are wanted.
  /// @pre it is open
  /// @return whether COMMIT has to be sent, because the block ends with it
  [[nodiscard]] bool close() noexcept {
    const bool ends_block = in_.closed();
    is_ = ends_block ? state::committing : state::closed;
    return ends_block;
  }
  [[nodiscard]] bool is_ending_its_block() const noexcept {
    return is_ == state::committing || is_ == state::rolling_back;
  }
  /// COMMIT or ROLLBACK was answered.
  /// @pre it is ending its block
  /// @return whether the block has ended
  [[nodiscard]] bool ended() noexcept {
    if (!in_.ended()) return false;
    is_ = state::over;
    return true;
  }
  /// COMMIT did not end the block: ROLLBACK has to be sent.
  /// @return false if it was sent already
  [[nodiscard]] bool roll_back() noexcept { return std::exchange(is_, state::rolling_back) == state::committing; }

  /// Whether to stop requesting pages ahead of the consumer.
  void hold(bool holds) noexcept { holds_ = holds; }
  [[nodiscard]] bool is_held() const noexcept { return holds_; }

  /// Whether nothing of a page has arrived yet.
  [[nodiscard]] bool is_before_a_page() const noexcept { return is_open() && !page_has_rows_; }
  void has_row() noexcept { page_has_rows_ = true; }
  /// PortalSuspended, or the end of all rows.
  /// @return whether the page had rows
  bool page_ended() noexcept {
    ++pages_;
    return std::exchange(page_has_rows_, false);
  }
  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_; }

 private:
  transaction_scope& in_;
  std::string name_;
  std::uint32_t rows_;
  state is_{state::planned};
  bool holds_{false};
  bool page_has_rows_{false};
  std::uint64_t pages_{0};
};

}  // namespace sluice::wire
