#include "conninfo/conninfo_values.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "transport/gss_target.hpp"

namespace sluice::wire {

namespace {

std::optional<std::int32_t> number(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void refuse_value(const setting& given, std::string_view problem) { refuse(given.place + " " + std::string{problem}); }

void refuse_choice(const setting& given, const std::vector<std::string_view>& choices) {
  std::string problem{"must be one of "};
  for (const std::string_view& choice : choices) {
    if (&choice != choices.data()) problem += ", ";
    problem += choice;
  }
  refuse_value(given, problem);
}

std::int32_t integer(const settings& all, std::string_view key, std::int32_t otherwise) {
  const setting* const given = all.find(key);
  if (given == nullptr || given->value.empty()) return otherwise;
  const auto value = number(given->value);
  if (!value) refuse_value(*given, "must be an integer of at most 32 bits");
  return *value;
}

std::uint16_t port(const setting& given, std::string_view text) {
  if (text.empty()) return 5432;
  const auto value = number(text);
  if (!value || *value < 1 || *value > 65535) refuse_value(given, "must list port numbers from 1 to 65535");
  return static_cast<std::uint16_t>(*value);
}

bool flag(const settings& all, std::string_view key, bool otherwise) {
  constexpr std::array choices{choice<bool>{"0", false}, choice<bool>{"1", true}};
  return all.value(key).empty() ? otherwise : choose(all, key, choices, otherwise);
}

std::vector<std::string_view> comma_separated(std::string_view list) {
  std::vector<std::string_view> elements;
  for (;;) {
    const std::size_t comma = list.find(',');
    elements.push_back(list.substr(0, comma));
    if (comma == list.npos) return elements;
    list.remove_prefix(comma + 1);
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

auth_methods allowed_methods(const settings& all) {
  const setting* const given = all.find("require_auth");
  if (given == nullptr || given->value.empty()) return {};

  auth_methods methods;
  struct named {
    std::string_view name;
    bool* allowed;  // null: a known method that is not implemented here
    bool seen{};
  };
  std::array names{named{"none", &methods.none},  named{"password", &methods.password},
                   named{"md5", &methods.md5},    named{"scram-sha-256", &methods.scram_sha_256},
                   named{"gss", &methods.gss},    named{"sspi", nullptr},
                   named{"oauth", &methods.oauth}};

  const bool forbids = given->value.starts_with('!');
  constexpr auth_methods nothing{
      .none = false, .password = false, .md5 = false, .scram_sha_256 = false, .oauth = false, .gss = false};
  if (!forbids) methods = nothing;
  for (std::string_view element : comma_separated(given->value)) {
    if (element.starts_with('!') != forbids)
      refuse_value(*given, "must have '!' before all of its methods or before none");
    if (forbids) element.remove_prefix(1);
    const auto method = std::ranges::find(names, element, &named::name);
    if (method == names.end())
      refuse_value(*given, "must list methods out of none, password, md5, scram-sha-256, gss, sspi, oauth");
    if (std::exchange(method->seen, true)) refuse_value(*given, "lists a method twice");
    if (method->allowed != nullptr) *method->allowed = !forbids;
  }
  auth_methods usable = methods;
  usable.gss = usable.gss && has_gssapi();
  if (usable == nothing)
    refuse_value(*given,
                 "leaves no method that is supported: none, password, md5, scram-sha-256, oauth, and gss in a "
                 "build with -Dgssapi=enabled");
  return methods;
}

}  // namespace sluice::wire
