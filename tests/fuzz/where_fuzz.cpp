// Arbitrary text as a --where expression: a filter or an error, and SQL in which every value is a parameter.
#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include <string>

#include "fuzzing.hpp"
#include "query/quoting.hpp"
#include "values.hpp"
#include "where.hpp"

namespace where_fuzz {
namespace {

void run(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string_view text = sluice::test::as_text(data, size);
  try {
    const query built = from("t").where(tool::parse_where(text)).build();
    const std::size_t count = built.parameters().size();
    sluice::test::require(detail::renumbered(built.text(), 0, count) == built.text(),
                          "the SQL has no open quote and no parameter without a value");
    (void)built.explain();
  } catch (const tool::usage_error&) {
  } catch (const error& refused) {
    sluice::test::require(refused.kind() == condition::usage, "a filter is refused as a mistake of the caller");
  }
}

const sluice::test::fuzz_target target{"where", run};

}  // namespace
}  // namespace where_fuzz
