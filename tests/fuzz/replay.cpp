// Runs a fuzz target on the files of its corpus, for builds without libFuzzer: `fuzz_corpus NAME FOLDER`
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzzing.hpp"

int main(int argc, char** argv) {
  using sluice::test::fuzz_target;
  if (argc != 3) return 2;
  const auto& targets = fuzz_target::all();
  const auto target = std::find_if(targets.begin(), targets.end(),
                                   [name = argv[1]](const fuzz_target* each) { return each->name == name; });
  if (target == targets.end()) return 2;
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator{argv[2]}) {
    std::ifstream in{file.path(), std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());  // so that no byte past the end is readable
    (*target)->run(exact.data(), exact.size());
    ++inputs;
  }
  std::printf("%d inputs\n", inputs);
  return inputs == 0 ? 1 : 0;
}
