#pragma once
// Connection strings, parsed in an environment of a test's own.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::test {

using variables = std::map<std::string, std::string, std::less<>>;

/// An environment with a user "me", no home folder unless given, and only these variables.
inline conninfo_environment with(variables set = {}, std::string home = {}) {
  conninfo_environment environment;
  environment.variable = [set = std::move(set)](std::string_view name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional{found->second};
  };
  environment.home = std::move(home);
  environment.user_name = "me";
  environment.socket_folders = {"/nonexistent", "/"};
  return environment;
}

inline conninfo parse(std::string_view text, const variables& set = {}) { return conninfo::parse(text, with(set)); }

inline std::string refusal(std::string_view text, const conninfo_environment& environment = with()) {
  try {
    return "accepted: " + conninfo::parse(text, environment).to_string();
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::bad_conninfo);
    return refused.what();
  }
}

}  // namespace sluice::test
