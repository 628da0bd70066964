#pragma once
// Generated SQL without its schema names, to be compared with hand-written SQL.
#include <regex>
#include <string>

namespace sluice::test {

inline std::string readable(const std::string& sql) {
  static const std::regex operators{R"( operator\((?:pg_catalog|"public")\.([^ )]*)\) )"};
  static const std::regex schemas{R"(pg_catalog\.|"public"\.)"};
  return std::regex_replace(std::regex_replace(sql, operators, " $1 "), schemas, "");
}

}  // namespace sluice::test
