#pragma once
// Work that continues after its owner is gone.
#include <memory>

namespace sluice::detail {

class running_query;

// Brings an abandoned query to its end, in a separate coroutine that owns it.
void leave_in_background(std::shared_ptr<running_query> query) noexcept;

}  // namespace sluice::detail
