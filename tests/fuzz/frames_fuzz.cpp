// Arbitrary bytes as a server's messages: split into frames, and every body passed to every decoder, whatever its type
// byte says. Decoded values lie within the body, and where a frame ends does not depend on how much has arrived.
#include <algorithm>
#include <sluice/proto/frame.hpp>
#include <span>
#include <vector>

#include "fuzzing.hpp"
#include "pieces.hpp"

namespace frames_fuzz {
namespace {

using namespace sluice::proto;
using sluice::test::add;
using sluice::test::lies_within;
using sluice::test::require;
using bytes = std::span<const std::byte>;

constexpr limits small{.row = 1'000'000, .message = 100'000};

template <class Message>
void try_decoder(bytes body, std::optional<Message> (*decode)(bytes) noexcept) {
  const std::vector<std::byte> exact(body.begin(), body.end());  // so that no byte past its end is readable
  sluice::test::pieces found;
  if (const auto message = decode(exact)) add(found, *message);
  require(lies_within(found, exact), "what is decoded lies within the body");
}

void try_every_decoder(bytes body) {
  try_decoder(body, decode_authentication);
  try_decoder(body, decode_backend_key_data);
  try_decoder(body, decode_negotiate_protocol_version);
  try_decoder(body, decode_parameter_status);
  try_decoder(body, decode_ready_for_query);
  try_decoder(body, decode_row_description);
  try_decoder(body, decode_parameter_description);
  try_decoder(body, decode_data_row);
  try_decoder(body, decode_command_complete);
  try_decoder(body, decode_copy_response);
  try_decoder(body, decode_notification_response);
  try_decoder(body, decode_error_fields);
}

void run(const std::uint8_t* data, std::size_t size) {
  bytes rest = std::as_bytes(std::span{data, size});
  for (;;) {
    const framing next = next_frame(rest, small);
    if (next.found != framing::kind::complete) break;
    require(next.size <= rest.size() && next.message.body.size() + header_size == next.size, "a frame is what arrived");
    for (std::size_t arrived = 0; arrived < std::min<std::size_t>(next.size, header_size + 1); ++arrived) {
      const framing early = next_frame(rest.first(arrived), small);
      require(early.found == framing::kind::incomplete && early.size <= next.size,
              "a part of a frame asks for the rest");
    }
    try_every_decoder(next.message.body);
    rest = rest.subspan(next.size);
  }
}

const sluice::test::fuzz_target target{"frames", run};

}  // namespace
}  // namespace frames_fuzz
