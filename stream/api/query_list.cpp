#include "api/query_list.hpp"

namespace sluice::detail {

query_list send_all(const std::shared_ptr<wire::session>& on, const std::vector<query>& queries,
                    const query_options& options) {
  const std::size_t unsent = on->io.out.size();
  const std::size_t under_way = on->flights.size();
  query_list made;
  try {
    for (const query& each : queries)
      made.push_back(made.empty() ? std::make_shared<running_query>(on, each, options)
                                  : std::make_shared<running_query>(*made.back(), each, options));
  } catch (...) {  // nothing was sent: roll back to the state before the call
    on->flights.resize(under_way);
    on->io.out.resize(unsent);
    if (on->flights.empty() && on->is == wire::session::state::busy) on->is = wire::session::state::idle;
    throw;
  }
  for (const auto& each : made) each->launch();
  return made;
}

}  // namespace sluice::detail
