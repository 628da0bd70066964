#include "engine/action.hpp"

#include <array>
#include <ostream>

namespace sluice::wire {

std::ostream& operator<<(std::ostream& out, const action& what) {
  static constexpr std::array names{"go_on", "aside", "take_row", "refuse_copy", "end_turn", "give_up", "fail"};
  out << names[static_cast<std::size_t>(what.is)];
  if (what.row_bytes != 0) out << ' ' << what.row_bytes << " bytes";
  if (what.why) out << " '" << what.why.type << "': " << what.why.rule;
  return out;
}

}  // namespace sluice::wire
