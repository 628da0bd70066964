#pragma once
// How one query uses the statement cache of its session.
#include <array>
#include <cstdint>
#include <string_view>

#include "engine/statement_cache.hpp"

namespace sluice::wire {

class prepared_use {
 public:
  enum class state : std::uint8_t {
    unnamed,  ///< the cache is not involved
    known,    ///< the server has the statement, and its columns are known
    claimed,  ///< its Parse has to be sent, or was sent
    parsed,   ///< the server has it; its result columns are not known yet
  };

  /// @pre `in` outlives this
  explicit prepared_use(statement_cache& in) noexcept : cache_{in} {}
  prepared_use(const prepared_use&) = delete;
  prepared_use& operator=(const prepared_use&) = delete;
  /// If a statement was claimed and neither kept nor ended, it was never sent or its connection is gone.
  ~prepared_use();

  /// Finds the statement, or claims it, unless the cache is off or another flight is preparing it now.
  /// @return what it returns; null if it has to be parsed
  [[nodiscard]] known_result_ptr look_up(const statement& what);

  [[nodiscard]] state is() const noexcept { return is_; }
  /// The statement's name on the server; empty: the unnamed one.
  [[nodiscard]] std::string_view name() const noexcept { return {name_.data(), name_size_}; }
  [[nodiscard]] bool was_found() const noexcept { return was_found_; }

  /// Handles ParseComplete.
  void parsed() noexcept;
  /// Other SQL is run instead, which is not kept: under this name if it `is_there` on the server, and unnamed
  /// otherwise.
  void give_up(bool is_there);
  /// Whether it was claimed and is not kept yet.
  [[nodiscard]] bool is_claimed() const noexcept { return is_ != state::unnamed && is_ != state::known; }
  /// The server has it, and its result columns are known.
  /// @pre `is_claimed`
  void keep(known_result_ptr about);
  /// The server's error ended the query: records what the error implies for the statement.
  void refused(std::string_view sqlstate);
  /// The query is over. A statement that was claimed and not kept is useless.
  void ended() { refused({}); }

 private:
  statement_cache& cache_;
  std::array<char, statement_names::name_size> name_{};  // in place: a query by key allocates nothing for it
  std::uint8_t name_size_{0};
  state is_{state::unnamed};
  bool was_found_{false};
};

}  // namespace sluice::wire
