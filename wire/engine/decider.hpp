#pragma once
// Decides how to run a statement that is run in one way or another depending on its result columns. The decision is
// made when these are known, by the code that knows what the rows are for; the engine only asks.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sluice/wire/error.hpp>
#include <sluice/wire/result_columns.hpp>

#include "messages/backend.hpp"
#include "messages/value_format.hpp"

namespace sluice::wire {

/// A statement, as ParameterDescription and RowDescription describe it.
struct description {
  std::span<const std::uint32_t> parameters;  ///< OIDs; unknown where the result is known from an earlier run
  const result_columns* columns{};            ///< null: it returns no rows
  bool is_running{};  ///< its rows are on their way, in text: it remains to decide whether anything has to be asked
};

struct decision {
  enum class kind : std::uint8_t {
    as_it_is,  ///< send Bind, which asks for the columns in these `formats`, and Execute; first Parse again with `sql`,
               ///< its own text, if something was asked in between
    instead,   ///< send Parse with `sql`, whose result has these `columns`, then Bind and Execute
    ask,       ///< run `sql`, report its rows, and decide again
    copy,      ///< run `sql`, a COPY TO STDOUT in the binary format, of so many columns as `columns` has
    refuse,    ///< end the query: `sql` gives the reason, `code` the kind of error
  };
  kind is{kind::as_it_is};
  std::string sql{};
  errc code{errc::unsupported_result};
  std::vector<proto::value_format> formats{};  ///< as Bind has them: none for text
  result_columns columns{};
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

}  // namespace sluice::wire
