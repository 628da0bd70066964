#pragma once
// The words of a command line: options, their values, and what stands between them.
//
// A value is a value: what follows an option that takes one is its value, byte for byte, whatever it looks like. So it
// is in `--name=value`, and in `-dvalue`. After `--` no word is an option any more.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tool {

class command_line {
 public:
  using action = std::function<void(const std::string&)>;

  // An option without a value.
  void flag(std::string_view name, bool& to, char letter = '\0');
  // An option with a value, which `take` may refuse by usage_error.
  void option(std::string_view name, action take, char letter = '\0');
  // The same, given as often as need be.
  void list(std::string_view name, action take);
  // What stands between the options.
  void rest(action take) { rest_ = std::move(take); }

  // Throws usage_error.
  void read(int argc, const char* const* argv);
  [[nodiscard]] bool has(std::string_view name) const;

 private:
  struct known {
    std::string_view name;  // without its dashes
    char letter{};
    action take{};
    bool* flag{};
    bool may_repeat{};
    bool was_given{};
  };

  known& find(std::string_view word, std::string_view name);
  static void give(known& to, const std::string& value);

  std::vector<known> options_;
  action rest_;
};

}  // namespace sluice::tool
