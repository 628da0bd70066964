#pragma once
// Where Postgres counts days and microseconds from.
#include <chrono>

namespace sluice {

inline constexpr std::chrono::sys_days postgres_epoch{std::chrono::year{2000} / std::chrono::January / 1};

}  // namespace sluice
