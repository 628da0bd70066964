#include "engine/decider.hpp"

namespace sluice::wire {

bool decider::told(const proto::data_row& /*row*/) { return true; }
decision decider::answered() { return {}; }

decision refuse_columns(std::size_t count) {
  return {.is = decision::kind::refuse,
          .sql = "the query gives " + std::to_string(count) +
                 " columns where one document per row was asked for: let them become an object"};
}

}  // namespace sluice::wire
