#include "parallel/partition_text.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <utility>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <sluice/stream/from_json.hpp>
#include <sluice/stream/json.hpp>
#include <sluice/wire/error.hpp>

#include "auth/base64.hpp"
#include "json/json_string.hpp"
#include "json/text_buffer.hpp"

namespace sluice {

namespace detail {

SLUICE_JSON(partition_parameter, text, type)
SLUICE_JSON(partition_column, name, type, modifier)
SLUICE_JSON(partition_facts, database, snapshot, nonce, index, count, settings, sql, parameters, is_document, places,
            columns)

}  // namespace detail

template <>
struct json_policy<detail::partition_facts> {
  static constexpr bool missing_members_keep_their_value = false;
  static constexpr bool unknown_members_are_errors = true;
};

namespace detail {

namespace {

constexpr std::string_view prefix{"sluice"};
constexpr std::string_view version{"1."};
constexpr std::size_t check_digits = 16;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }
std::string text_of_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text;
  for (const unsigned char each : bytes) {
    text += digits[each >> 4U];
    text += digits[each & 0xfU];
  }
  return text;
}

/// The beginning of its SHA-256, in hexadecimal digits.
std::string check_of(std::string_view facts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(facts.data(), facts.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw error{errc::bad_partition, "partition: OpenSSL has no SHA-256"};
  return hex(std::span{digest}.first(check_digits / 2));
}

/// Writes JSON, as much of it as a descriptor needs.
class json_text {
 public:
  json_text& key(std::string_view name) {
    separate();
    (void)write_string(to_, name);
    to_.add(':');
    return *this;
  }
  json_text& text(std::string_view value) {
    separate();
    (void)write_string(to_, value);
    return *this;
  }
  json_text& plain(std::string_view value) {
    separate();
    to_.add(value);
    return *this;
  }
  json_text& number(std::int64_t value) { return plain(std::to_string(value)); }
  json_text& open(char bracket) {
    separate();
    to_.add(bracket);
    return *this;
  }
  json_text& close(char bracket) {
    to_.add(bracket);
    return *this;
  }
  [[nodiscard]] std::string_view all() const { return to_.text(); }

 private:
  void separate() {
    if (to_.size() == 0) return;
    const char last = to_.text().back();
    if (last != '{' && last != '[' && last != ':') to_.add(',');
  }
  text_buffer to_;
};

std::string json_of_facts(const partition_facts& of) {
  json_text to;
  to.open('{').key("database").text(of.database).key("snapshot").text(of.snapshot).key("nonce").text(of.nonce);
  to.key("index").number(of.index).key("count").number(of.count).key("settings").open('{');
  for (const auto& [name, value] : of.settings) to.key(name).text(value);
  to.close('}').key("sql").text(of.sql).key("parameters").open('[');
  for (const partition_parameter& each : of.parameters) {
    to.open('{').key("text");
    each.text ? to.text(*each.text) : to.plain("null");
    to.key("type").number(each.type).close('}');
  }
  to.close(']').key("is_document").plain(of.is_document ? "true" : "false").key("places").open('[');
  for (const std::vector<std::string>& place : of.places) {
    to.open('[');
    for (const std::string& name : place) to.text(name);
    to.close(']');
  }
  to.close(']').key("columns").open('[');
  for (const partition_column& each : of.columns)
    to.open('{')
        .key("name")
        .text(each.name)
        .key("type")
        .number(each.type)
        .key("modifier")
        .number(each.modifier)
        .close('}');
  to.close(']').close('}');
  return std::string{to.all()};
}

/// The parts of a descriptor, which is whole.
struct parts {
  std::string facts;
  std::string_view check;
};

parts divided(std::string_view descriptor) {
  if (!descriptor.starts_with(prefix)) refuse_partition("it does not begin with \"sluice\"");
  descriptor.remove_prefix(prefix.size());
  if (!descriptor.starts_with(version))
    refuse_partition("it is of another version than this library reads, which is 1");
  descriptor.remove_prefix(version.size());
  const std::size_t dot = descriptor.find('.');
  constexpr std::string_view damaged{"it is cut off, or was changed on its way"};
  if (dot == descriptor.npos) refuse_partition(std::string{damaged});
  const auto facts = proto::decode_base64(descriptor.substr(0, dot));
  if (!facts) refuse_partition(std::string{damaged});
  parts found{text_of_bytes(*facts), descriptor.substr(dot + 1)};
  if (found.check != check_of(found.facts)) refuse_partition(std::string{damaged});
  return found;
}

}  // namespace

void refuse_partition(const std::string& why) {
  throw error{
      error_info{.code = errc::bad_partition, .message = "partition: " + why, .server = {}, .connection_usable = true}};
}

std::vector<partition_column> columns_of(const std::vector<result_column>& columns) {
  std::vector<partition_column> all;
  for (const result_column& each : columns) all.push_back({each.name, each.type, each.modifier});
  return all;
}

std::string written(const partition_facts& of) {
  const std::string facts = json_of_facts(of);
  std::string text{prefix};
  text.append(version).append(proto::encode_base64(bytes_of(facts))).append(1, '.').append(check_of(facts));
  return text;
}

partition_facts read_partition(std::string_view descriptor) {
  const std::string facts = divided(descriptor).facts;
  partition_facts read;
  try {
    const std::string padded = facts + std::string(simdjson::SIMDJSON_PADDING, ' ');
    json_parser parser;
    json_document document = parser.parse(std::string_view{padded}.substr(0, facts.size()));
    simdjson::ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) refuse_partition("it says nothing");
    read_object(object, read, json_place{0});
  } catch (const error& why) {
    if (why.code() != errc::bad_json) throw;
    refuse_partition(std::string{"what it says is not complete: "} + why.what());
  }
  if (read.index >= read.count)
    refuse_partition("it is number " + std::to_string(read.index) + " of " + std::to_string(read.count));
  if (read.snapshot.empty() || read.snapshot.find_first_not_of("0123456789ABCDEF-") != read.snapshot.npos)
    refuse_partition("what it calls a snapshot is none");
  return read;
}

std::int64_t lock_of(std::string_view descriptor) {
  const std::string_view check = descriptor.substr(descriptor.size() - check_digits);
  std::uint64_t number{};
  constexpr int hexadecimal = 16;
  (void)std::from_chars(check.data(), check.data() + check.size(), number, hexadecimal);
  return static_cast<std::int64_t>(number);
}

std::string random_nonce() {
  std::array<unsigned char, check_digits / 2> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    throw error{errc::bad_partition, "partition: OpenSSL has no random numbers"};
  return hex(random);
}

partition_parameter stored_values::store(const bind_value& value) {
  partition_parameter stored{value.text(), value.type()};
  if (value.is_binary() && stored.text) stored.text = proto::encode_base64(bytes_of(*stored.text));
  return stored;
}

bind_value stored_values::restore(const partition_parameter& stored) {
  std::optional<std::string> text = stored.text;
  if (stored.type == proto::oid::bytea && text) {
    const auto bytes = proto::decode_base64(*text);
    if (!bytes) refuse_partition("a value of it is damaged");
    text = text_of_bytes(*bytes);
  }
  return bind_value{std::move(text), stored.type};
}

}  // namespace detail

}  // namespace sluice
