#include "transport/tls_answer.hpp"

#include <array>
#include <ostream>

namespace sluice::wire {

tls_answer read_tls_answer(std::span<const std::byte> arrived) noexcept {
  if (arrived.empty()) return tls_answer::none;
  switch (std::to_integer<char>(arrived.front())) {
    case 'S': return arrived.size() > 1 ? tls_answer::early : tls_answer::yes;
    case 'N': return tls_answer::no;
    case 'E': return tls_answer::error;
    default: return tls_answer::unknown;
  }
}

std::ostream& operator<<(std::ostream& out, tls_answer what) {
  static constexpr std::array names{"none", "yes", "no", "error", "unknown", "early"};
  return out << names[static_cast<std::size_t>(what)];
}

}  // namespace sluice::wire
