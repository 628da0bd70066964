#include "command_line.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sluice/wire/error.hpp>
#include "auth/utf8.hpp"
#include "conninfo/conninfo_settings.hpp"

#include "values.hpp"

namespace sluice::tool {

void command_line::flag(std::string_view name, bool& to, char letter) {
  options_.push_back({.name = name, .letter = letter, .note = [&to] { to = true; }, .may_repeat = true});
}
void command_line::flag(std::string_view name, std::function<void()> note, char letter) {
  options_.push_back({.name = name, .letter = letter, .note = std::move(note), .may_repeat = true});
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
      if (++i == argc && is_long) throw usage_error{"--" + std::string{option.name} + " needs a value"};
      if (i == argc)
        throw usage_error{std::string{word} + " is --" + std::string{option.name} +
                          ", and needs a value: --help shows the options"};
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
  // Not what follows a name or a letter: it may be a password.
  refuse(word.substr(0, word.starts_with("--") ? word.find('=') : 1 + proto::first_character(word.substr(1)).size));
}

void command_line::refuse(std::string_view spelling) const {
  const std::string unknown = "unknown option " + std::string{spelling} + ": ";
  for (const auto& [theirs, instead] : foreign_)
    if (theirs == spelling) throw usage_error{unknown + std::string{instead}};
  const std::string_view meant = spelling.starts_with("--") ? nearest(spelling.substr(2)) : std::string_view{};
  throw usage_error{unknown + (meant.empty() ? "see --help" : "did you mean --" + std::string{meant} + "?")};
}

/// The option whose name begins like this, or is two letters away, of a short one fewer.
std::string_view command_line::nearest(std::string_view name) const {
  std::string_view best;
  std::size_t least = std::min<std::size_t>(name.size() / 2, 2) + 1;
  for (const known& each : options_) {
    if (name.size() > 2 && each.name.starts_with(name)) return each.name;
    const std::size_t away = wire::distance(name, each.name);
    if (away >= least) continue;
    least = away;
    best = each.name;
  }
  return best;
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
