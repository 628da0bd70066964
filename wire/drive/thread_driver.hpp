#pragma once
/// @file
/// What waits in a thread.

#include "transport/link.hpp"

namespace sluice::wire {

/// Shows a conversation what arrives on `io`, until it is over; see coroutine_driver.hpp.
/// @par Errors  throws error: deadline_exceeded, cancelled when `interrupts` was used; what the conversation throws
template <class Conversation>
void run(link& io, Conversation& conversation, interrupter* interrupts) {
  while (!conversation.advance())
    if (!conversation.move()) io.wait(interrupts);
}

}  // namespace sluice::wire
