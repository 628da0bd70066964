// Arbitrary bytes as a server's side of a login. The first byte chooses what the client allows. The password is never
// sent in clear text where that is not allowed, no login succeeds without AuthenticationOk, and none without proof
// where proof is required.
#include <algorithm>
#include "machines/startup_machine.hpp"

#include "fuzzing.hpp"

namespace startup_fuzz {
namespace {

using namespace sluice::proto;
using sluice::test::require;
using kind = startup_step::kind;

constexpr std::string_view password{"correct horse"};

login who_allows(std::uint8_t what) {
  return {.user = "me",
          .database = "app",
          .password = (what & 1U) != 0 ? std::optional{password} : std::nullopt,
          .minor_version = static_cast<std::uint16_t>((what & 2U) != 0 ? 2 : 0),
          .allow_nothing = (what & 4U) == 0,
          .allow_cleartext = (what & 8U) != 0,
          .allow_md5 = (what & 16U) != 0,
          .allow_scram = (what & 32U) != 0,
          .gss = (what & 64U) != 0 ? login::gssapi::allowed : login::gssapi::forbidden,
          .allow_bearer = (what & 64U) != 0,
          .scram = {.min_iterations = 1, .max_iterations = 4'096},
          .over_tls = (what & 128U) != 0,
          .certificate_hash = (what & 128U) != 0 ? std::string_view{"hash"} : std::string_view{}};
}

bool holds(const output& sent, std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return std::ranges::search(sent, bytes).begin() != sent.end();
}

void run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const login who = who_allows(data[0]);
  std::span<const std::byte> rest = std::as_bytes(std::span{data + 1, size - 1});
  startup_machine machine{who};
  output sent;
  require(!machine.start(sent), "a login can be sent");
  bool was_let_in = false;
  bool has_used_gss = false;
  bool gss_is_complete = false;
  while (!machine.is_ready()) {
    const framing next = next_frame(rest, limits{});
    if (next.found != framing::kind::complete) break;
    const bool lets_in = next.message.type == 'R' && next.message.body.size() == 4 &&
                         load_big<std::uint32_t>(next.message.body.data()) == 0;
    startup_step step = machine.on(next.message, sent);
    while (step.is == kind::hash) step = machine.hash_some(sent);
    if (step.is == kind::token) step = machine.give_token("a-token", sent);
    if (step.is == kind::gss) {  // established by a token that is not empty
      gss_is_complete = !machine.gss_token().empty();
      step = machine.give_gss(std::as_bytes(std::span{"token", 5}), gss_is_complete, sent);
      has_used_gss = true;
    }
    require(step.is != kind::hash && step.is != kind::token && step.is != kind::gss, "a step ends");
    if (step.is == kind::violation || step.is == kind::refused) break;
    was_let_in = was_let_in || lets_in;
    rest = rest.subspan(next.size);
  }
  require(!machine.is_ready() || was_let_in, "nobody is in without AuthenticationOk");
  require(!machine.is_ready() || who.allow_nothing || who.password || who.allow_bearer,
          "a method that was required is used");
  require(!machine.is_ready() || !has_used_gss || gss_is_complete, "GSSAPI has identified the server");
  if (!who.allow_cleartext) require(!holds(sent, password), "a password is not sent as it is");
}

const sluice::test::fuzz_target target{"startup", run};

}  // namespace
}  // namespace startup_fuzz
