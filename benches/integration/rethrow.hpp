#pragma once
// A completion handler for coroutines whose failure is to end the benchmark.
#include <exception>

namespace sluice::bench {

inline void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sluice::bench
