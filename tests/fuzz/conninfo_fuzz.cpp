// Arbitrary text as a connection string: it is parsed, or the error says what is wrong.
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>

#include "fuzzing.hpp"

namespace conninfo_fuzz {
namespace {

void run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sluice::test::as_text(data, size);
  if (text.find("service") != text.npos || text.find("passfile") != text.npos) return;  // these would open any file
  try {
    const sluice::conninfo info = sluice::conninfo::parse(text);
    sluice::test::require(!info.hosts.empty(), "there is a host to connect to");
  } catch (const sluice::error& refused) {
    sluice::test::require(refused.code() == sluice::errc::bad_conninfo, "text is refused as a bad connection string");
  }
}

const sluice::test::fuzz_target target{"conninfo", run};

}  // namespace
}  // namespace conninfo_fuzz
