// Arbitrary bytes as messages of pgoutput: changes or a refusal, and no read past a message. Each message is preceded
// by its length in one byte, and all follow the description of a relation.
#include <algorithm>
#include <sluice/stream/change.hpp>

#include "changes/change_decoder.hpp"
#include "fuzzing.hpp"
#include "log_messages.hpp"

namespace changes_fuzz {
namespace {

using namespace sluice;
using detail::change_decoder;

void look_at(const detail::change_view& now) {
  if (now.relation == nullptr) return;
  if (!now.relation->shape().empty()) {
    std::vector<std::byte> bytes;
    std::vector<std::string_view> left_out;
    if (now.what == operation::insert || now.what == operation::update)
      now.relation->copy(bytes, now.row.after, now.row.before, left_out);
    return;
  }
  detail::text_buffer text;
  std::vector<std::string_view> unchanged;
  if (now.what == operation::insert || now.what == operation::update)
    (void)now.relation->write(text, now.row.after, now.row.before, unchanged);
  if (!now.row.before.empty() && now.row.before.size() == now.relation->relation().columns.size())
    (void)now.relation->write_key(text, now.row.before);
}

bool goes_on(change_decoder& by, change_decoder::outcome now) {
  while (now != change_decoder::outcome::malformed) {
    if (now == change_decoder::outcome::asking) now = by.resume();
    if (now == change_decoder::outcome::change) look_at(by.now());
    if (!by.has_more()) return true;
    now = by.take_more();
  }
  return false;
}

void run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  // The first byte says what is wanted.
  constexpr unsigned columns = 4;
  const unsigned wanted = *data;
  change_decoder by{{.transactions = true,
                     .schema = true,
                     .running = (wanted & 1U) != 0,
                     .prepared = (wanted & 2U) != 0,
                     .columns = (wanted & columns) != 0},
                    detail::session_settings{}};
  for (const std::string& known : {sluice::test::begin_of(0x100, 7), sluice::test::relation_of(1, "t")})
    (void)goes_on(by, by.take(std::as_bytes(std::span{known})));
  std::span<const std::uint8_t> rest{data + 1, size - 1};
  while (!rest.empty()) {
    const std::size_t length = std::min<std::size_t>(rest.front(), rest.size() - 1);
    const std::vector<std::uint8_t> message(rest.begin() + 1, rest.begin() + 1 + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(1 + length);
    if (!goes_on(by, by.take(std::as_bytes(std::span{message})))) return;
  }
}

const sluice::test::fuzz_target target{"changes", run};

}  // namespace
}  // namespace changes_fuzz
