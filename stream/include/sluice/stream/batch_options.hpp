#pragma once
/// @file
/// How a batch is to be run.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <sluice/wire/error.hpp>

namespace sluice {

/// Options of a `batch_writer`.
struct batch_options {
  std::size_t rows{1'000};  ///< collected in memory, then sent and answered together; at least 1
  /// Called for each row that the server has refused, in their order, counted from 1; the batch goes on. Without it,
  /// the first such row ends the batch. It must not use the batch's connection. In a transaction there is no such
  /// thing.
  std::function<void(std::uint64_t row, const error& why)> on_failure{};
  /// Deadline for each group of rows; @see query_options::timeout
  std::chrono::milliseconds timeout{0};
};

}  // namespace sluice
