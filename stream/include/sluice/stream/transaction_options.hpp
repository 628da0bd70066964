#pragma once
/// @file
/// How a transaction is to be run.

#include <cstdint>
#include <optional>

#include <sluice/wire/trace_context.hpp>

namespace sluice {

/// What a transaction sees of others.
/// @see PostgreSQL documentation, "Transaction Isolation"
enum class isolation : std::uint8_t {
  as_configured,    ///< the server's default_transaction_isolation
  read_committed,   ///< each statement sees what was committed before it
  repeatable_read,  ///< all statements see what was committed before the first; a conflicting write fails with 40001
  serializable,     ///< as if transactions ran one after another; those that cannot fail with 40001
};

/// What is left out is as the server's defaults have it.
struct transaction_options {
  sluice::isolation isolation{sluice::isolation::as_configured};
  std::optional<bool> read_only{};  ///< a write then fails with 25006
  std::optional<bool>
      deferrable{};        ///< of a serializable, read-only one: waits until it cannot fail, or make others fail
  trace_context parent{};  ///< the caller's span, for `pool::begin`: of the wait for a connection
};

}  // namespace sluice
