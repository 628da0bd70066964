#include "command_line.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sluice/wire/error.hpp>

#include "values.hpp"

namespace sluice::tool {

void command_line::flag(std::string_view name, bool& to, char letter) {
  options_.push_back({.name = name, .letter = letter, .note = [&to] { to = true; }, .may_repeat = true});
}
void command_line::flag(std::string_view name, std::function<void()> note) {
  options_.push_back({.name = name, .note = std::move(note), .may_repeat = true});
}
void command_line::option(std::string_view name, action take, char letter) {
  options_.push_back({.name = name, .letter = letter, .take = std::move(take)});
}
void command_line::list(std::string_view name, action take) {
  options_.push_back({.name = name, .take = std::move(take), .may_repeat = true});
}

void command_line::read(int argc, const char* const* argv) {
  bool only_rest = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if (only_rest || word.size() < 2 || word.front() != '-') {
      rest_(std::string{word});
      continue;
    }
    if (word == "--") {
      only_rest = true;
      continue;
    }
    const bool is_long = word.starts_with("--");
    const std::size_t name_end = is_long ? std::min(word.find('='), word.size()) : 2;
    known& option = find(word, word.substr(is_long ? 2 : 1, name_end - (is_long ? 2 : 1)));
    std::optional<std::string_view> value;
    if (name_end < word.size()) value = word.substr(name_end + (is_long ? 1 : 0));
    if (option.note != nullptr) {
      if (value) throw usage_error{"--" + std::string{option.name} + " takes no value"};
      option.note();
      option.was_given = true;
      continue;
    }
    if (!value) {
      if (++i == argc) throw usage_error{"--" + std::string{option.name} + " needs a value"};
      value = argv[i];
    }
    give(option, std::string{*value});
  }
}

bool command_line::has(std::string_view name) const {
  return std::ranges::any_of(options_, [&](const known& each) { return each.name == name && each.was_given; });
}

command_line::known& command_line::find(std::string_view word, std::string_view name) {
  const auto found = std::ranges::find_if(options_, [&](const known& each) {
    return word.starts_with("--") ? each.name == name : each.letter != '\0' && each.letter == name.front();
  });
  if (found != options_.end()) return *found;
  throw usage_error{"unknown option " + std::string{word.substr(0, word.find('='))} + ": see --help"};
}

void command_line::give(known& to, const std::string& value) {
  const std::string name = "--" + std::string{to.name};
  if (std::exchange(to.was_given, true) && !to.may_repeat) throw usage_error{name + " is given twice"};
  try {
    to.take(value);
  } catch (const usage_error& refused) {
    throw usage_error{name + ": " + refused.what()};
  } catch (const error& refused) {
    throw usage_error{name + ": " + refused.what()};
  }
}

}  // namespace sluice::tool
