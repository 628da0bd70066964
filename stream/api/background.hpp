#pragma once
// What goes on after its owner has gone.
#include <memory>

namespace sluice::detail {

class running_query;

// Brings a query that nobody wants any more to its end, as a coroutine of its own that owns it.
void leave_in_background(std::shared_ptr<running_query> query) noexcept;

}  // namespace sluice::detail
