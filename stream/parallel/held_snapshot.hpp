#pragma once
// The transaction that holds the snapshot of partitions, and their descriptors.
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/partitions.hpp>
#include <sluice/stream/query.hpp>

#include "api/first_row.hpp"
#include "api/wish.hpp"
#include "engine/session.hpp"

namespace sluice::detail {

class held_snapshot {
 public:
  using wanted = std::variant<relation, query>;

  explicit held_snapshot(const asio::any_io_executor& on)
      : on_{on}, wanted_{on, "cancelled: the snapshot was given up"} {}
  ~held_snapshot() { close(); }
  held_snapshot(const held_snapshot&) = delete;
  held_snapshot& operator=(const held_snapshot&) = delete;

  // Static functions hold a shared reference, because the owner may be destroyed while they wait.

  /// @see partitions::of
  static asio::awaitable<std::shared_ptr<held_snapshot>> of(conninfo where, wanted what, partition_options how,
                                                            std::string path);
  static asio::awaitable<void> lost(std::shared_ptr<held_snapshot> self);
  static asio::awaitable<void> end(std::shared_ptr<held_snapshot> self);
  /// The owner is gone.
  void leave() noexcept;

  [[nodiscard]] const std::vector<std::string>& descriptors() const noexcept { return descriptors_; }
  /// What arrives while `lost` waits is for `lost`.
  [[nodiscard]] bool is_held() const noexcept {
    return session_ != nullptr && (is_watched_ ? !session_->is_broken() : session_->is_alive());
  }
  [[nodiscard]] error is_lost() const;
  [[nodiscard]] const asio::any_io_executor& get_executor() const noexcept { return on_; }

 private:
  asio::awaitable<void> divide_and_export(connection& db, wanted what, partition_options how);
  asio::awaitable<void> watch();
  void close() noexcept;

  asio::any_io_executor on_;
  wish wanted_;
  std::chrono::milliseconds check_interval_{};
  std::shared_ptr<wire::session> session_;
  std::string place_;
  std::vector<std::string> descriptors_;
  bool is_watched_{false};
  bool is_asking_{false};  // whether it is still there
};

}  // namespace sluice::detail
