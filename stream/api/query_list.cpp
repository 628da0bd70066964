#include "api/query_list.hpp"

namespace sluice::detail {

query_list send_all(const std::shared_ptr<wire::session>& on, const std::vector<query>& queries,
                    const query_options& options) {
  const wire::connection_engine::mark before = on->engine.here();
  query_list made;
  try {
    for (const query& each : queries)
      made.push_back(made.empty() ? std::make_shared<running_query>(on, each, options)
                                  : std::make_shared<running_query>(*made.back(), each, options));
  } catch (...) {  // nothing was sent
    on->engine.take_back_to(before);
    throw;
  }
  for (const auto& each : made) each->launch();
  return made;
}

}  // namespace sluice::detail
