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
    unnamed,   ///< the cache has no part in it
    known,     ///< the server has the statement, and its columns are known
    claimed,   ///< its Parse is to be sent, or under way
    parsed,    ///< the server has it; what it gives is not known yet
    replaced,  ///< and is given another SQL instead: a second Parse is under way
  };

  /// @pre `in` outlives this
  explicit prepared_use(statement_cache& in) noexcept : cache_{in} {}
  prepared_use(const prepared_use&) = delete;
  prepared_use& operator=(const prepared_use&) = delete;
  /// What was claimed and neither kept nor ended was never sent, or its connection is gone.
  ~prepared_use();

  /// Finds the statement, or claims it; unless the cache is off, or another flight is preparing it now.
  /// @return what is known about it, until the cache changes; null when it has to be parsed
  const statement_cache::known* look_up(const statement& what);

  [[nodiscard]] state is() const noexcept { return is_; }
  /// Of the statement on the server; empty: the unnamed one.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool was_found() const noexcept { return was_found_; }

  /// ParseComplete.
  /// @return whether it is the SQL that replaces the first: nothing more will be told about that
  bool parsed() noexcept;
  /// Its name will stand for another SQL.
  void replaced() noexcept;
  /// It was claimed, and is not kept yet.
  [[nodiscard]] bool is_claimed() const noexcept { return is_ != state::unnamed && is_ != state::known; }
  /// The server has it, and what it gives is known.
  /// @pre `is_claimed`
  void keep(statement_cache::known about);
  /// The server's error ended the query: what it says about the statement is remembered.
  void refused(std::string_view sqlstate);
  /// The query is over. What was claimed and is not kept is of no use.
  void ended() { refused({}); }

 private:
  statement_cache& cache_;
  std::string name_{};
  state is_{state::unnamed};
  bool was_found_{false};
};

}  // namespace sluice::wire
