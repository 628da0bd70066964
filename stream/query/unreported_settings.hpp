#pragma once
// What text looks like also depends on settings that the server does not report when they change.
#include <cstdint>
#include <string_view>

#include "json/value_plan.hpp"
#include "messages/backend.hpp"

namespace sluice::detail {

/// Whether running this may change `bytea_output` or `extra_float_digits`, as far as its text shows: it names one of
/// them or `pg_settings`, or calls `set_config` for a setting that the text does not name. Functions that do it are not
/// seen.
[[nodiscard]] bool may_change_unreported_settings(std::string_view sql) noexcept;

/// `bytea_output` and `extra_float_digits` of one connection. They are asked for once; as long as they are not known,
/// and for good once a statement may have changed them, the server formats what depends on them.
class unreported_settings {
 public:
  /// SQL that asks for them. Its answer is one row.
  static constexpr std::string_view question{
      "select pg_catalog.current_setting('bytea_output'), pg_catalog.current_setting('extra_float_digits')"};
  [[nodiscard]] bool are_to_be_asked() const noexcept { return are_ == state::unknown; }
  /// Rows of other statements are ignored.
  void told(const proto::data_row& row) noexcept;
  /// From now on they are not believed.
  void changed() noexcept { are_ = state::changed; }

  void put_into(session_settings& settings) const noexcept {
    settings.has_hex_bytea = are_ == state::known && has_hex_bytea_;
    settings.has_all_digits = are_ == state::known && has_all_digits_;
  }

 private:
  enum class state : std::uint8_t { unknown, known, changed };
  state are_{state::unknown};
  bool has_hex_bytea_{false};
  bool has_all_digits_{false};
};

}  // namespace sluice::detail
