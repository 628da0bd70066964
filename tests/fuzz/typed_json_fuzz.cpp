// Arbitrary bytes as a document: read into a type, tested by a client-side predicate, validated. Each gives a value or
// an error.
#include <cstring>
#include <memory>
#include <sluice/stream/typed.hpp>
#include <string>

#include "backend.hpp"
#include "fuzzing.hpp"
#include "query/client_filter.hpp"

namespace fuzzed {

enum class state { open, paid };
SLUICE_JSON_ENUM(state, open, paid)

struct node {
  std::optional<std::int64_t> id;
  std::optional<double> number;
  std::optional<std::string> text;
  std::optional<std::string_view> view;
  std::optional<state> stage;
  std::optional<sluice::uuid> key;
  std::optional<std::chrono::sys_time<std::chrono::microseconds>> at;
  std::optional<sluice::raw_json> raw;
  std::optional<std::map<std::string, bool>> flags;
  std::optional<std::vector<node>> inner;
};
SLUICE_JSON(node, id, number, text, view, stage, key, at, raw, flags, inner)

}  // namespace fuzzed

namespace typed_json_fuzz {
namespace {

using namespace sluice;

detail::client_filter every_kind() {
  const predicate any = field("id") == 7 || field("number") > 1.5 || field("text").like("a%") ||
                        field("a.0.b") == "x" || field("flags").has_key("k") || field("inner").array_length() > 2 ||
                        field("key").is_null() || field("at") < 5 || field("raw").exists();
  return detail::client_filter{any.on_client().made()};
}

void run(const std::uint8_t* data, std::size_t size) {
  const auto body = std::make_unique<std::byte[]>(6 + size + simdjson::SIMDJSON_PADDING);
  std::memcpy(body.get(), (sluice::test::be16(1) + sluice::test::be32(static_cast<std::uint32_t>(size))).data(), 6);
  if (size != 0) std::memcpy(body.get() + 6, data, size);
  const row document{body.get()};

  bool is_valid = true;
  try {
    json_validator{}.check(document);
  } catch (const error& refused) {
    is_valid = false;
    sluice::test::require(refused.code() == errc::bad_json, "a document is refused as bad JSON");
  }
  try {
    (void)document.as<fuzzed::node>();
  } catch (const error& refused) {
    sluice::test::require(refused.code() == errc::bad_json, "a document is refused as bad JSON");
  }
  static detail::client_filter filter = every_kind();
  try {
    (void)filter.matches(document);
  } catch (const error& refused) {
    sluice::test::require(!is_valid && refused.code() == errc::bad_json, "only what is no JSON is refused");
  }
}

const sluice::test::fuzz_target target{"typed_json", run};

}  // namespace
}  // namespace typed_json_fuzz
