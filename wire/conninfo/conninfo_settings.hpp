#pragma once
// The text form of a connection's parameters: which value was written where, before any of it is interpreted.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/wire/conninfo.hpp>

namespace sluice::wire {

/// A parameter that libpq knows.
struct known_key {
  enum class kind : std::uint8_t { plain, sensitive };

  std::string_view name;
  std::string_view variable;  ///< environment variable; empty: none
  std::string_view refusal;   ///< why a value is not accepted; empty: it is
  kind what;

  constexpr known_key(std::string_view of_name, std::string_view of_variable, kind is = kind::plain,
                      std::string_view why_refused = {}) noexcept
      : name{of_name}, variable{of_variable}, refusal{why_refused}, what{is} {}
};

[[nodiscard]] std::span<const known_key> all_keys() noexcept;
[[nodiscard]] const known_key* find_key(std::string_view name) noexcept;

/// A value, which may be a password: overwritten when it is no longer needed.
struct setting {
  std::string value{};
  std::string place{};  ///< how errors refer to it: the parameter and where it was written

  setting() = default;
  setting(std::string given, std::string where) noexcept : value{std::move(given)}, place{std::move(where)} {}
  setting(setting&&) noexcept = default;
  setting& operator=(setting&& other) noexcept;
  setting(const setting&) = delete;
  setting& operator=(const setting&) = delete;
  ~setting();
};

/// An empty string with room for `size` characters, so that it leaves no copies of a secret behind as it grows.
[[nodiscard]] std::string room_for_value(std::size_t size);

/// Settings by parameter name; the names are those of the table of known keys.
class settings {
 public:
  void set(const known_key& key, setting&& given) { given_.insert_or_assign(key.name, std::move(given)); }
  void set_if_absent(const known_key& key, setting&& given) { given_.try_emplace(key.name, std::move(given)); }
  [[nodiscard]] const setting* find(std::string_view name) const;
  /// The parameter's value, or the empty string.
  [[nodiscard]] const std::string& value(std::string_view name) const;
  [[nodiscard]] auto begin() const { return given_.begin(); }
  [[nodiscard]] auto end() const { return given_.end(); }

 private:
  std::map<std::string_view, setting> given_;
};

[[noreturn]] void refuse(const std::string& message);
/// Throws: the connection string is malformed at `offset`.
[[noreturn]] void refuse_at(std::size_t offset, std::string_view problem);

/// Stores a setting from a connection string. `may_quote` tells whether an unknown name may be shown: it may not if it
/// could be part of a password that was not quoted or encoded.
void store(settings& into, std::string_view name, std::string value, std::size_t offset, bool may_quote);

[[nodiscard]] bool is_uri(std::string_view text) noexcept;
[[nodiscard]] settings parse_uri(std::string_view text);
[[nodiscard]] settings parse_keyvalue(std::string_view text);
/// Parses the string alone: a URI or key=value pairs.
[[nodiscard]] settings parse_text(std::string_view text);
/// Completes what was given, as `conninfo::parse` does, and checks it.
[[nodiscard]] conninfo completed(settings given, const conninfo_environment& environment);

/// Edit distance: the insertions, deletions and replacements that turn one into the other.
[[nodiscard]] std::size_t distance(std::string_view from, std::string_view to);

/// Adds the settings of the service that the string or PGSERVICE names, from the service file.
void add_service(settings& into, const conninfo_environment& environment);
/// A parameter's value from an environment variable; a zero byte in it is refused.
[[nodiscard]] setting from_variable(std::string_view key, std::string_view variable, std::string value);
void add_environment(settings& into, const conninfo_environment& environment);

/// isspace in the C locale.
[[nodiscard]] constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] std::string default_socket_folder(const conninfo_environment& environment);

/// Why the password file may not be used; empty if it may, or does not exist.
[[nodiscard]] std::string password_file_problem(const std::string& path);

}  // namespace sluice::wire
