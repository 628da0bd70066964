#pragma once
// The transaction block that the program has begun on a connection, and the savepoints in it, as a stack. BEGIN waits
// for the first statement and travels with it. What the program dropped is due to be taken back before anything else is
// sent.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::wire {

class open_blocks {
 public:
  /// Never used twice on a connection. 0: none.
  using id = std::uint64_t;

  /// Whether nothing is open, and nothing has to be taken back.
  [[nodiscard]] bool empty() const noexcept { return open_.empty() && due_ == 0; }
  /// Whether a statement of this block may be sent now.
  [[nodiscard]] bool is_innermost(id of) const noexcept { return !open_.empty() && open_.back() == of; }
  [[nodiscard]] bool is_outermost(id of) const noexcept { return !open_.empty() && open_.front() == of; }
  [[nodiscard]] bool is_open(id of) const noexcept { return std::ranges::find(open_, of) != open_.end(); }

  /// A block is begun.
  /// @param opening  the BEGIN, to be sent before its first statement
  /// @pre `empty`
  id begin(std::string opening) {
    open_.push_back(++last_);
    unsent_ = std::move(opening);
    return last_;
  }
  /// The BEGIN that has to be sent before the next statement; empty: none.
  [[nodiscard]] std::string_view unsent() const noexcept { return unsent_; }
  /// It was sent.
  void sent() noexcept { unsent_.clear(); }

  /// A savepoint is to be made, the innermost: once it is there, `nested` has to be called.
  [[nodiscard]] std::string savepoint() const { return "savepoint " + name_of(last_ + 1); }
  id nested() {
    open_.push_back(++last_);
    return last_;
  }

  [[nodiscard]] std::string commit(id what) const {
    return is_outermost(what) ? "commit" : "release savepoint " + name_of(what);
  }
  [[nodiscard]] std::string roll_back(id what) const { return is_outermost(what) ? "rollback" : take_back(what); }
  /// It has ended, and all that were in it.
  void ended(id what) noexcept {
    open_.erase(std::ranges::find(open_, what), open_.end());
    if (open_.empty()) unsent_.clear();
  }

  /// Nobody will end this block: it and all that are in it are to be taken back.
  void drop(id what) noexcept {
    if (!is_open(what)) return;
    const bool was_begun = unsent_.empty();
    if (was_begun) {
      due_is_outermost_ = is_outermost(what);
      due_ = what;
    }
    ended(what);
  }
  [[nodiscard]] bool is_due() const noexcept { return due_ != 0; }
  /// The SQL that takes back what was dropped. To be sent before anything else.
  [[nodiscard]] std::string take_due() {
    std::string sql = due_is_outermost_ ? "rollback" : take_back(due_);
    due_ = 0;
    return sql;
  }
  /// The server has ended the outermost block.
  void clear() noexcept {
    open_.clear();
    unsent_.clear();
    due_ = 0;
  }

 private:
  [[nodiscard]] static std::string name_of(id savepoint) { return "sluice_" + std::to_string(savepoint); }
  [[nodiscard]] static std::string take_back(id savepoint) {
    return "rollback to savepoint " + name_of(savepoint) + "; release savepoint " + name_of(savepoint);
  }

  std::vector<id> open_;  // outermost first
  std::string unsent_;    // the BEGIN of the outermost, until it is sent
  id last_{0};
  id due_{0};  // the outermost that was dropped; 0: none
  bool due_is_outermost_{false};
};

}  // namespace sluice::wire
