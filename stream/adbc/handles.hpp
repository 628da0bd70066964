#pragma once
// What the C handles of a program point to.
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/secret.hpp>

#include "adbc/bound_rows.hpp"
#include "adbc/ingest.hpp"
#include "adbc/open_result.hpp"
#include "adbc/partitioning.hpp"
#include "adbc/session.hpp"
#include "adbc/settings.hpp"

namespace sluice::adbc {

/// Where to connect to, and the settings that connections begin with.
class database {
 public:
  static constexpr std::string_view name{"database"};

  /// @par Errors  throws failure: not_implemented for an option that there is not
  void set(std::string_view option, std::string_view value);
  /// @par Errors  throws failure: not_found for an option that there is not, and for secrets
  [[nodiscard]] std::string get(std::string_view option) const;
  /// Checks what was set.
  void init();

  /// @par Errors  throws failure: invalid_state before `init`
  [[nodiscard]] const conninfo& where() const;
  [[nodiscard]] settings defaults() const;

 private:
  mutable std::mutex guard_;  // `get` may be called from any thread
  std::string uri_{};
  std::optional<std::string> user_{};
  std::optional<secret> password_{};
  settings settings_{};
  std::optional<conninfo> where_{};
};

/// A connection, which is made by `init`.
class connection {
 public:
  static constexpr std::string_view name{"connection"};

  ~connection();
  connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// @see database::set; what needs a server is remembered until there is one
  void set(std::string_view option, std::string_view value);
  [[nodiscard]] std::string get(std::string_view option);
  void init(const database& of);
  /// @par Errors  throws failure: invalid_state before `init`
  [[nodiscard]] const std::shared_ptr<session>& on() const;
  [[nodiscard]] settings defaults() const;

 private:
  void apply(std::string_view option, std::string_view value);
  void set_read_only(bool on);
  void set_isolation(std::string_view level);

  mutable std::mutex guard_;                                   // as above; not held while waiting for a server
  std::vector<std::pair<std::string, std::string>> before_{};  // options that were set before `init`
  settings settings_{};
  bool is_read_only_{false};
  std::string isolation_{"adbc.connection.transaction.isolation.default"};
  std::shared_ptr<session> on_{};
};

/// A statement.
class statement {
 public:
  static constexpr std::string_view name{"statement"};

  explicit statement(const connection& on) : on_{on.on()}, settings_{on.defaults()} {}

  void set(std::string_view option, std::string_view value);
  [[nodiscard]] std::string get(std::string_view option) const;
  void set_sql(std::string_view sql);
  void bind(std::unique_ptr<bound_rows> rows) noexcept { bound_ = std::move(rows); }
  /// The server is asked when the statement runs, because the types of what is bound are not known before.
  void prepare();
  [[nodiscard]] ArrowSchema parameters();
  [[nodiscard]] ArrowSchema result();
  /// @param to  null: nobody wants the rows
  /// @return the number of affected rows
  std::int64_t execute(ArrowArrayStream* to);
  /// Divides the result among partitions, which can be read as long as the statement or `to` is there.
  [[nodiscard]] ArrowSchema execute_partitions(AdbcPartitions* to);
  void cancel();

 private:
  result_columns columns();
  [[nodiscard]] std::string sql() const;
  [[nodiscard]] settings how() const;
  void close_last() noexcept;

  std::shared_ptr<session> on_;
  owner by_{new_owner()};
  mutable std::mutex guard_;
  settings settings_;
  std::optional<std::string> sql_{};
  ingest_target target_{};
  std::unique_ptr<bound_rows> bound_{};
  std::weak_ptr<open_result> last_{};
  std::shared_ptr<blocking_partitions> partitions_{};
};

}  // namespace sluice::adbc
