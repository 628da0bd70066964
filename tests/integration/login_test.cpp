// Logins that need more than a connection string: cached keys of an earlier login, and bearer tokens.
#include <gtest/gtest.h>

#include <memory>
#include <sluice/wire/scram_cache.hpp>
#include <stdexcept>
#include <string>

#include "bytes.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "listener.hpp"

namespace {

using namespace sluice::test;
using sluice::conninfo;
using sluice::errc;

std::string log_in(const std::string& text, const std::shared_ptr<sluice::scram_cache>& cache) {
  conninfo info = conninfo::parse(text);
  info.scram_keys = cache;
  try {
    const sluice::client db{info};
    return db.is_idle() ? "in" : "not ready";
  } catch (const sluice::error& e) {
    return std::string{e.sqlstate()};
  }
}

TEST(ScramCache, LetsNoOtherPasswordIn) {
  const auto cache = std::make_shared<sluice::scram_cache>();
  const std::string right = as_user("scram_user");
  const std::string wrong = right + "x";
  EXPECT_EQ(log_in(wrong, cache), "28P01");
  EXPECT_EQ(log_in(wrong, cache), "28P01") << "what failed is not kept";
  EXPECT_EQ(log_in(right, cache), "in");
  EXPECT_EQ(log_in(right, cache), "in") << "with the keys of the first time";
  EXPECT_EQ(log_in(wrong, cache), "28P01") << "nor have they been lost";
  EXPECT_EQ(log_in(right + " sslmode=require channel_binding=require", cache), "in");
  EXPECT_EQ(log_in(wrong + " hostaddr=127.0.0.1 host=elsewhere sslmode=disable", cache), "28P01") << "another server";
  psql("alter role scram_user password 'secret'");  // the same password with another salt
  EXPECT_EQ(log_in(wrong, cache), "28P01");
  EXPECT_EQ(log_in(right, cache), "in");
}

TEST(ScramCache, TakesEverySpellingOfAPasswordThatTheServerTakes) {
  const auto cache = std::make_shared<sluice::scram_cache>();
  conninfo info = conninfo::parse(as_user("sasl_user"));
  info.scram_keys = cache;
  for (const char* spelling : {"secret\xc2\xaa\xe2\x85\xa8", "secretaIX", "secret\xc2\xaa\xe2\x85\xa8"}) {
    info.password = sluice::secret{spelling};
    EXPECT_NO_THROW(sluice::client{info}) << spelling;
  }
  info.password = sluice::secret{"secretaix"};
  EXPECT_THROW(sluice::client{info}, sluice::error);
}

TEST(Token, ComesFromTheProgramWhenTheServerAsks) {
  std::string heard;
  listener server{{[&](server_end client) {
    (void)client.receive();
    client.send(backend{}.authentication(10, raw("OAUTHBEARER\0\0")).bytes);
    heard = client.receive();
    client.send(backend{}.authentication_ok().ready_for_query().bytes);
    client.receive_all();
  }}};
  conninfo info = conninfo::parse(server.dsn());
  int asked = 0;
  info.token = [&asked]() -> sluice::secret {
    ++asked;
    return "abc.def";
  };
  {
    const sluice::client db{info};
  }
  EXPECT_EQ(asked, 1);
  EXPECT_NE(heard.find("auth=Bearer abc.def"), std::string::npos);
}

TEST(Token, IsNotSentWhereOthersCanReadIt) {
  listener server{{[](server_end client) {
                    (void)client.receive();
                    client.send(backend{}.authentication(10, raw("OAUTHBEARER\0\0")).bytes);
                    EXPECT_EQ(client.receive(), "");
                  }},
                  listener::kind::tcp};
  conninfo info = conninfo::parse(server.dsn() + " sslmode=disable");
  info.token = []() -> sluice::secret { return "abc.def"; };
  try {
    const sluice::client db{info};
    ADD_FAILURE() << "logged in";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::auth_method) << e.what();
  }
}

TEST(Token, ThatCannotBeHadEndsTheAttempt) {
  listener server{{[](server_end client) {
    (void)client.receive();
    client.send(backend{}.authentication(10, raw("OAUTHBEARER\0\0")).bytes);
    client.receive_all();
  }}};
  conninfo info = conninfo::parse(server.dsn());
  info.token = []() -> sluice::secret { throw std::runtime_error{"the issuer is away"}; };
  EXPECT_THROW(sluice::client{info}, std::runtime_error);
}

}  // namespace
