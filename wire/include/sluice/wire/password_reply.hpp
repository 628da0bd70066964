#pragma once
/// @file
/// The answer to a connection that asks the program for its password: `conninfo::ask_password`.

#include <exception>
#include <memory>
#include <utility>

#include <sluice/export.hpp>
#include <sluice/wire/secret.hpp>

namespace sluice {

namespace wire {
class password_answer;
}  // namespace wire

/// Give one of the two answers, at once or later. An answer that comes too late, or a second time, is ignored. If all
/// copies are destroyed without an answer, the attempt to connect fails with bad_state.
/// @par Thread safety  all calls from any thread
class SLUICE_API password_reply {
 public:
  explicit password_reply(std::shared_ptr<wire::password_answer> to) noexcept : to_{std::move(to)} {}

  /// @par Errors  throws std::bad_alloc
  void give(secret password) const;
  /// Ends the attempt: connecting throws this.
  void fail(std::exception_ptr why) const noexcept;

 private:
  std::shared_ptr<wire::password_answer> to_;
};

}  // namespace sluice
