#include "json/value_plan.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <sluice/proto/oid.hpp>

#include "json/nested_json.hpp"
#include "rows/own_types.hpp"

namespace sluice::detail {

namespace {

class value_planner {
 public:
  value_planner(const type_catalog& types, const session_settings& session, proto::value_format format) noexcept
      : types_{types}, session_{session}, format_{format} {}

  /// @return nothing: some part has no writer in this format
  std::optional<value_plan> plan(std::uint32_t type, std::size_t level = 0) {
    // Types are never that deep or large, but what the catalog says need not be true.
    constexpr std::size_t deepest = 64;
    constexpr std::size_t most_parts = 10'000;
    const type_facts facts = types_.find(type).value_or(type_facts{});
    if (level > deepest || ++parts_ > most_parts) return fallen_short();
    const bool has_cast = facts.has_cast_to_json && type >= first_own_type;  // of others the server ignores it
    std::optional<value_plan> made;
    switch (facts.what) {
      case type_facts::kind::scalar: made = has_cast ? fallen_short() : scalar(type); break;
      case type_facts::kind::domain: made = plan(facts.inner, level + 1); break;
      case type_facts::kind::array: made = array(facts, level); break;
      case type_facts::kind::composite: made = composite(facts, level); break;
      case type_facts::kind::unclear: made = fallen_short(); break;
    }
    if (made) {
      made->type = type;
      made->format = format_;
    }
    return made;
  }

 private:
  [[nodiscard]] bool is_binary() const noexcept { return format_ == proto::value_format::binary; }

  std::optional<value_plan> fallen_short() const {
    if (is_binary()) return {};
    value_plan made;
    made.leaf = write_as_string;
    made.falls_short = true;
    return made;
  }
  std::optional<value_plan> scalar(std::uint32_t type) const {
    namespace oid = proto::oid;
    const bool is_moment = type == oid::date || type == oid::timestamp || type == oid::timestamptz;
    if (!is_binary() && is_moment && !session_.has_iso_dates) return fallen_short();
    if (is_binary()) {
      const bool is_set_otherwise = (type == oid::timestamptz && !session_.is_in_utc) ||
                                    (type == oid::bytea && !session_.has_hex_bytea) ||
                                    ((type == oid::float4 || type == oid::float8) && !session_.has_all_digits);
      if (is_set_otherwise) return {};
    }
    value_plan made;
    made.leaf = is_binary() ? binary_writer_of(type) : text_writer_of(type);
    return made.leaf == nullptr ? std::nullopt : std::optional{std::move(made)};
  }
  std::optional<value_plan> array(const type_facts& facts, std::size_t level) {
    value_plan made;
    made.nested = is_binary() ? write_binary_array : facts.delimiter == ' ' ? write_text_vector : write_text_array;
    made.delimiter = facts.delimiter;
    if (!add_part(made, facts.inner, level)) return {};
    return made;
  }
  std::optional<value_plan> composite(const type_facts& facts, std::size_t level) {
    value_plan made;
    made.nested = is_binary() ? write_binary_composite : write_text_composite;
    for (const type_facts::field& each : facts.fields) {
      if (!add_part(made, each.type, level)) return {};
      made.parts.back().key = {each.name, made.parts.size() == 1};
    }
    return made;
  }
  bool add_part(value_plan& to, std::uint32_t type, std::size_t level) {
    std::optional<value_plan> part = plan(type, level + 1);
    if (!part) return false;
    to.falls_short = to.falls_short || part->falls_short;
    to.parts.push_back(*std::move(part));
    return true;
  }

  const type_catalog& types_;
  const session_settings& session_;
  proto::value_format format_;
  std::size_t parts_{0};
};

}  // namespace

session_settings session_settings::of(std::string_view time_zone, std::string_view date_style) noexcept {
  constexpr std::array<std::string_view, 6> names{"UTC", "Etc/UTC", "GMT", "Etc/GMT", "UCT", "Zulu"};
  return {.is_in_utc = std::ranges::find(names, time_zone) != names.end(),
          .has_iso_dates = date_style.starts_with("ISO")};
}

value_plan plan_values(std::uint32_t type, const type_catalog& types, const session_settings& session) {
  if (auto plan = value_planner{types, session, proto::value_format::binary}.plan(type)) return *std::move(plan);
  return plan_text_values(type, types, session);
}

value_plan plan_text_values(std::uint32_t type, const type_catalog& types, const session_settings& session) {
  // In text each type has a writer.
  return value_planner{types, session, proto::value_format::text}.plan(type).value();
}

}  // namespace sluice::detail
