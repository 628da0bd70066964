#include "destination.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "conninfo/conninfo_settings.hpp"

#include "values.hpp"

namespace sluice::tool {

namespace {

struct completion {
  std::string_view key;
  std::string_view option;
  std::string destination::* value;
};
constexpr std::array completions{completion{"host", "--host", &destination::host},
                                 completion{"port", "--port", &destination::port},
                                 completion{"user", "--username", &destination::user}};

/// libpq takes anything without "=" for a name that does not begin as a URI does; other URIs are refused by the parser.
bool is_name(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") != text.npos && text.find('=') == text.npos &&
         text.find("://") == text.npos;
}

}  // namespace

void check(const destination& given) {
  if (!wire::is_uri(given.dsn)) return;
  for (const completion& each : completions)
    if (!(given.*each.value).empty())
      throw usage_error{std::string{each.option} + ": --dsn is a URI, which says it itself: give one of the two"};
}

conninfo to_conninfo(const destination& given, const conninfo_environment& environment) {
  wire::settings all;
  if (is_name(given.dsn))
    all.set(*wire::find_key("dbname"), {given.dsn, "--dsn"});
  else
    all = wire::parse_text(given.dsn);
  for (const completion& each : completions) {
    const std::string& value = given.*each.value;
    if (value.empty()) continue;
    if (!all.value(each.key).empty())
      throw usage_error{std::string{each.option} + ": --dsn has a " + std::string{each.key} +
                        " as well: give one of the two"};
    all.set(*wire::find_key(each.key), {value, std::string{each.option}});
  }
  return wire::completed(std::move(all), environment);
}

}  // namespace sluice::tool
