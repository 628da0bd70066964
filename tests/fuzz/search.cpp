// Where libFuzzer enters the one target that it is linked with.
#include "fuzzing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::test::fuzz_target::all().front()->run(data, size);
  return 0;
}
