#pragma once
// Decides how to run a statement whose SQL depends on its result columns. The decision is made when the server has
// described the statement, by the code that knows what the rows are for; the engine only asks.
#include <cstdint>
#include <span>
#include <string>

#include <sluice/wire/error.hpp>

#include "messages/backend.hpp"

namespace sluice::wire {

/// A statement, as ParameterDescription and RowDescription describe it.
struct description {
  std::span<const std::uint32_t> parameters;  ///< OIDs
  const proto::row_description* columns{};    ///< null: it returns no rows
};

struct decision {
  enum class kind : std::uint8_t {
    as_it_is,  ///< send Bind and Execute
    instead,   ///< send Parse with `sql`, then continue as above
    ask,       ///< run `sql`, report its rows, and decide again
    copy,      ///< run `sql`, a COPY TO STDOUT in the binary format
    refuse,    ///< end the query: `sql` gives the reason, `code` the kind of error
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
  /// Receives a row of `statement::question` or of a query that was asked since. Rows of other statements in the same
  /// message group may come first.
  /// @return whether it can be an answer
  [[nodiscard]] virtual bool told(const proto::data_row& row);
  /// All rows of the question have been reported.
  [[nodiscard]] virtual decision answered();
};

/// For a result that is not read by columns: exactly one column is required.
[[nodiscard]] decision refuse_columns(std::size_t count);

}  // namespace sluice::wire
