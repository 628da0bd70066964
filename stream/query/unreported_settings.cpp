#include "query/unreported_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "ascii.hpp"
#include "query/answer_text.hpp"

namespace sluice::detail {

namespace {

constexpr std::string_view setter{"set_config"};
constexpr std::string_view settable{"pg_settings"};  // an UPDATE of this view sets what its rows name

bool begins_with(std::string_view text, std::string_view lower) noexcept {
  return is_in_any_case(text.substr(0, lower.size()), lower);
}

/// Whether all of the setting's name is written out behind the name of the function.
bool names_its_setting(std::string_view behind) noexcept {
  constexpr std::string_view white{" \t\n\r\f\v"};
  const auto skip = [&] { behind.remove_prefix(std::min(behind.find_first_not_of(white), behind.size())); };
  skip();
  if (!behind.starts_with('(')) return false;
  behind.remove_prefix(1);
  skip();
  if (!behind.starts_with('\'')) return false;
  behind.remove_prefix(1);
  const std::size_t end = behind.find('\'');
  if (end == std::string_view::npos) return false;
  behind.remove_prefix(end + 1);
  skip();
  return behind.starts_with(',');  // and not || or another literal
}

}  // namespace

/// All of the names have an underscore, which most texts of queries have few of.
bool may_change_unreported_settings(std::string_view sql) noexcept {
  constexpr std::array<std::string_view, 2> settings{"bytea_output", "extra_float_digits"};
  constexpr std::size_t before{5};  // the underscore
  constexpr std::size_t before_setter{3};
  constexpr std::size_t before_settable{2};
  for (std::size_t at = sql.find('_'); at != std::string_view::npos; at = sql.find('_', at + 1)) {
    if (at >= before && std::ranges::any_of(settings, [&](std::string_view each) {
          return begins_with(sql.substr(at - before), each);
        }))
      return true;
    if (at >= before_settable && begins_with(sql.substr(at - before_settable), settable)) return true;
    if (at >= before_setter && begins_with(sql.substr(at - before_setter), setter) &&
        !names_its_setting(sql.substr(at - before_setter + setter.size())))
      return true;
  }
  return false;
}

void unreported_settings::told(const proto::data_row& row) noexcept {
  if (are_ != state::unknown || row.size() != 2) return;
  auto field = row.begin();
  const std::string_view bytes = text_in(*field);
  const std::string_view digits = text_in(*++field);
  int count = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if ((bytes != "hex" && bytes != "escape") || failure != std::errc{} || end != digits.data() + digits.size()) return;
  has_hex_bytea_ = bytes == "hex";
  has_all_digits_ = count > 0;
  are_ = state::known;
}

}  // namespace sluice::detail
