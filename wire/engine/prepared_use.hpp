#pragma once
// How one query uses the statement cache of its session.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/statement_cache.hpp"

namespace sluice::wire {

class prepared_use {
 public:
  enum class state : std::uint8_t {
    unnamed,   ///< the cache is not involved
    known,     ///< the server has the statement, and its columns are known
    claimed,   ///< its Parse has to be sent, or was sent
    parsed,    ///< the server has it; its result columns are not known yet
    replaced,  ///< other SQL is prepared instead: a second Parse was sent
  };

  /// @pre `in` outlives this
  explicit prepared_use(statement_cache& in) noexcept : cache_{in} {}
  prepared_use(const prepared_use&) = delete;
  prepared_use& operator=(const prepared_use&) = delete;
  /// If a statement was claimed and neither kept nor ended, it was never sent or its connection is gone.
  ~prepared_use();

  /// Finds the statement, or claims it, unless the cache is off or another flight is preparing it now.
  /// @return what is known about it, valid until the cache changes; null if it has to be parsed
  const statement_cache::known* look_up(const statement& what);

  [[nodiscard]] state is() const noexcept { return is_; }
  /// The statement's name on the server; empty: the unnamed one.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool was_found() const noexcept { return was_found_; }

  /// Handles ParseComplete.
  /// @return whether it was for the SQL that replaces the first: nothing more will be reported about that
  bool parsed() noexcept;
  /// The name will stand for other SQL.
  void replaced() noexcept;
  /// Whether it was claimed and is not kept yet.
  [[nodiscard]] bool is_claimed() const noexcept { return is_ != state::unnamed && is_ != state::known; }
  /// The server has it, and its result columns are known.
  /// @pre `is_claimed`
  void keep(statement_cache::known about);
  /// The server's error ended the query: records what the error implies for the statement.
  void refused(std::string_view sqlstate);
  /// The query is over. A statement that was claimed and not kept is useless.
  void ended() { refused({}); }

 private:
  statement_cache& cache_;
  std::string name_{};
  state is_{state::unnamed};
  bool was_found_{false};
};

}  // namespace sluice::wire
