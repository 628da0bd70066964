#pragma once
// How a statement goes on whose SQL depends on what it gives: decided when the server has described it, by whoever
// knows what its rows are for. The engine only asks.
#include <cstdint>
#include <span>
#include <string>

#include <sluice/wire/error.hpp>

#include "messages/backend.hpp"

namespace sluice::wire {

/// A statement, as ParameterDescription and RowDescription tell it.
struct description {
  std::span<const std::uint32_t> parameters;  ///< OIDs
  const proto::row_description* columns{};    ///< null: it gives no rows
};

struct decision {
  enum class kind : std::uint8_t {
    as_it_is,  ///< Bind and Execute
    instead,   ///< Parse `sql`, then the same
    ask,       ///< run `sql`, tell its rows, and decide again
    copy,      ///< run `sql`, a COPY TO STDOUT in the binary format
    refuse,    ///< end the query: `sql` says why, `code` what kind of error it is
  };
  kind is{kind::as_it_is};
  std::string sql{};
  errc code{errc::unsupported_result};
};

class decider {
 public:
  virtual ~decider() = default;
  /// @par Errors  throws error: the query ends with it
  [[nodiscard]] virtual decision described(const description& what) = 0;
  /// A row of `statement::question` or of what was asked since. Rows of other statements in the same flight may come
  /// before.
  /// @return whether it can be an answer
  [[nodiscard]] virtual bool told(const proto::data_row& row);
  /// All rows of what was asked have been told.
  [[nodiscard]] virtual decision answered();
};

/// For a result that is not read by columns: one column per row is needed.
[[nodiscard]] decision refuse_columns(std::size_t count);

}  // namespace sluice::wire
