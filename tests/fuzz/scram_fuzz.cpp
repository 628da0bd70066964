// Arbitrary text as a server's two SCRAM messages, one line each. The client refuses or answers, but never accepts the
// server: a valid signature cannot be found by chance.
#include <algorithm>
#include <string>
#include "auth/scram.hpp"

#include "fuzzing.hpp"

namespace scram_fuzz {
namespace {

void run(const std::uint8_t* data, std::size_t size) {
  using sluice::test::require;
  const std::string_view text = sluice::test::as_text(data, size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view first = text.substr(0, end);
  const std::string_view final = end < text.size() ? text.substr(end + 1) : std::string_view{};

  sluice::proto::scram_client client{"pencil", "nonce", {}, {.min_iterations = 1, .max_iterations = 4'096}};
  require(client.client_first() == "n,,n=,r=nonce", "the first message is ours");
  if (client.on_server_first(first)) return;
  require(first.starts_with("r=nonce"), "the server's nonce begins with ours");
  while (!client.hashed()) require(!client.hash_some(1'000), "hashing goes well");
  std::string proof;
  require(!client.client_final(proof) && proof.starts_with("c=biws,r=nonce"), "a good first message is answered");
  require(client.on_server_final(final) && !client.server_proved(), "nobody proves what it does not know");
}

const sluice::test::fuzz_target target{"scram", run};

}  // namespace
}  // namespace scram_fuzz
