#pragma once
// Parses the words of a command line: options, their values, and positional arguments.
//
// The word after an option that takes a value is its value, byte for byte, whatever it looks like. The same applies to
// `--name=value` and `-dvalue`. After `--`, no word is an option.
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::tool {

class command_line {
 public:
  using action = std::function<void(const std::string&)>;

  // An option without a value.
  void flag(std::string_view name, bool& to, char letter = '\0');
  // The same; `note` is called each time it is given.
  void flag(std::string_view name, std::function<void()> note, char letter = '\0');
  // An option with a value; `take` may reject it by throwing usage_error.
  void option(std::string_view name, action take, char letter = '\0');
  // The same, but may be repeated.
  void list(std::string_view name, action take);
  // What to do instead of an option that other programs have; `spelling` has its dashes.
  void foreign(std::string_view spelling, std::string_view instead) { foreign_.emplace_back(spelling, instead); }
  // Positional arguments.
  void rest(action take) { rest_ = std::move(take); }

  // Throws usage_error.
  void read(int argc, const char* const* argv);
  [[nodiscard]] bool has(std::string_view name) const;

 private:
  struct known {
    std::string_view name;  // without its dashes
    char letter{};
    action take{};
    std::function<void()> note{};  // an option without a value
    bool may_repeat{};
    bool was_given{};
  };

  known& find(std::string_view word, std::string_view name);
  [[noreturn]] void refuse(std::string_view spelling) const;
  [[nodiscard]] std::string_view nearest(std::string_view name) const;
  static void give(known& to, const std::string& value);

  std::vector<known> options_;
  std::vector<std::pair<std::string_view, std::string_view>> foreign_;
  action rest_;
};

}  // namespace sluice::tool
