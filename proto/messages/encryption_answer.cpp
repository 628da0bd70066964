#include "messages/encryption_answer.hpp"

#include <array>
#include <ostream>

namespace sluice::proto {

namespace {

encryption_answer read_answer(std::span<const std::byte> arrived, char yes) noexcept {
  if (arrived.empty()) return encryption_answer::none;
  const char said = std::to_integer<char>(arrived.front());
  if (said == yes) return arrived.size() > 1 ? encryption_answer::early : encryption_answer::yes;
  switch (said) {
    case 'N': return encryption_answer::no;
    case 'E': return encryption_answer::error;
    default: return encryption_answer::unknown;
  }
}

}  // namespace

encryption_answer read_tls_answer(std::span<const std::byte> arrived) noexcept { return read_answer(arrived, 'S'); }
encryption_answer read_gss_answer(std::span<const std::byte> arrived) noexcept { return read_answer(arrived, 'G'); }

std::ostream& operator<<(std::ostream& out, encryption_answer what) {
  static constexpr std::array names{"none", "yes", "no", "error", "unknown", "early"};
  return out << names[static_cast<std::size_t>(what)];
}

}  // namespace sluice::proto
