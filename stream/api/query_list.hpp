#pragma once
// Queries that are sent in one write.
#include <deque>
#include <memory>
#include <vector>

#include "api/running_query.hpp"

namespace sluice::detail {

using query_list = std::deque<std::shared_ptr<running_query>>;

// Encodes all queries and sends them, or sends none if one of them cannot be sent. Throws what `running_query` does.
query_list send_all(const std::shared_ptr<wire::session>& on, const std::vector<query>& queries,
                    const query_options& options);

}  // namespace sluice::detail
