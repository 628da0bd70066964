// Logins that need more than a connection string: cached keys of an earlier login, passwords of the program's, and
// bearer tokens.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <sluice/stream/pool.hpp>
#include <sluice/wire/scram_cache.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "auth/base64.hpp"
#include "auth/scram.hpp"
#include "bytes.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "listener.hpp"

namespace login_test {
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

conninfo without_password() {
  conninfo info = conninfo::parse(as_user("scram_user"));
  info.password = {};
  return info;
}

/// Who may be asked for passwords, and counts how often.
struct vault {
  int asked{0};
  std::string servers;

  void answer_of(conninfo& to, const char* password = "secret") {
    to.ask_password = [this, password](const sluice::password_request& what, const sluice::password_reply& reply) {
      ++asked;
      servers += what.user + '@' + what.server.to_string() + '/' + what.database + ' ';
      reply.give(password);
    };
  }
};

TEST(AskedPassword, IsAskedForEachConnection) {
  conninfo info = without_password();
  vault here;
  here.answer_of(info);
  EXPECT_TRUE(sluice::client{info}.is_idle());
  EXPECT_TRUE(sluice::client{info}.is_idle());
  EXPECT_EQ(here.asked, 2);
  const std::string one = "scram_user@" + info.hosts.front().to_string() + "/sluice ";
  EXPECT_EQ(here.servers, one + one);
}

TEST(AskedPassword, GoesBeforeThatOfTheConnectionString) {
  conninfo info = conninfo::parse(as_user("scram_user"));
  vault here;
  here.answer_of(info, "wrong");
  try {
    const sluice::client db{info};
    ADD_FAILURE() << "logged in";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "28P01") << e.what();
  }
}

TEST(AskedPassword, IsAskedOfEachServerThatIsTried) {
  listener away{{[](server_end client) { client.close(); }}, listener::kind::tcp};
  conninfo info = without_password();
  const conninfo other = conninfo::parse(away.dsn());
  info.hosts.insert(info.hosts.begin(), other.hosts.front());
  info.sslmode = sluice::tls_mode::disable;
  vault here;
  here.answer_of(info);
  EXPECT_TRUE(sluice::client{info}.is_idle());
  EXPECT_EQ(here.asked, 2) << here.servers;
}

TEST(AskedPassword, MayComeLaterFromAnotherThread) {
  conninfo info = without_password();
  std::vector<std::thread> threads;
  info.ask_password = [&threads](const sluice::password_request& /*what*/, sluice::password_reply reply) {
    threads.emplace_back([reply = std::move(reply)] {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
      reply.give("secret");
      reply.give("another");  // too late
    });
  };
  run([](const conninfo& where) -> asio::awaitable<void> {
    sluice::pool all = sluice::pool{co_await asio::this_coro::executor, where, {.max_size = 2}};
    const sluice::pooled_connection one = co_await all.acquire();
    const sluice::pooled_connection other = co_await all.acquire();
    all.close();
  }(info));
  EXPECT_EQ(threads.size(), 2U);
  for (std::thread& each : threads) each.join();
}

TEST(AskedPassword, ThatCannotBeHadEndsTheAttempt) {
  conninfo info = without_password();
  info.ask_password = [](const sluice::password_request&, const sluice::password_reply&) {
    throw std::runtime_error{"the vault is shut"};
  };
  EXPECT_THROW(sluice::client{info}, std::runtime_error);
  info.ask_password = [](const sluice::password_request&, const sluice::password_reply& reply) {
    reply.fail(std::make_exception_ptr(std::runtime_error{"the vault is empty"}));
  };
  EXPECT_THROW(sluice::client{info}, std::runtime_error);
}

TEST(AskedPassword, ThatNobodyGivesEndsTheAttempt) {
  conninfo info = without_password();
  info.ask_password = [](const sluice::password_request&, const sluice::password_reply&) {};
  try {
    const sluice::client db{info};
    ADD_FAILURE() << "logged in";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::bad_state) << e.what();
  }
}

TEST(AskedPassword, IsWaitedForAsLongAsTheConnectionMayTake) {
  conninfo info = without_password();
  info.connect_timeout = std::chrono::milliseconds{50};
  std::optional<sluice::password_reply> kept;
  info.ask_password = [&kept](const sluice::password_request&, sluice::password_reply reply) {
    kept = std::move(reply);
  };
  try {
    const sluice::client db{info};
    ADD_FAILURE() << "logged in";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::deadline_exceeded) << e.what();
    EXPECT_TRUE(e.retryable());
  }
  kept->give("secret");  // nobody waits, and the executor is gone
}

TEST(AskedPassword, IsNotWaitedForByACancelledCoroutine) {
  conninfo info = without_password();
  std::optional<sluice::password_reply> kept;
  asio::cancellation_signal signal;
  info.ask_password = [&](const sluice::password_request&, sluice::password_reply reply) {
    kept = std::move(reply);
    signal.emit(asio::cancellation_type::terminal);
  };
  errc code{};
  asio::io_context context{1};
  asio::co_spawn(context, sluice::connect(info),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr why, const sluice::connection&) {
                   try {
                     if (why) std::rethrow_exception(why);
                   } catch (const sluice::error& e) {
                     code = static_cast<errc>(e.code().value());
                   }
                 }));
  context.run();
  EXPECT_EQ(code, errc::cancelled);
  kept->fail(nullptr);
}

/// The keys of the role's password, as parameters of a connection string.
std::string scram_keys_of(const std::string& role, const char* password) {
  const std::string stored = psql("select rolpassword from pg_authid where rolname = '" + role + "'");
  const std::size_t salt = stored.find(':') + 1;  // SCRAM-SHA-256$4096:salt$...
  sluice::proto::scram_client hashing{password, "nonce"};
  EXPECT_FALSE(hashing.on_server_first("r=nonce1,s=" + stored.substr(salt, stored.find('$', salt) - salt) + ",i=4096"));
  while (!hashing.hashed())
    if (hashing.hash_some(4096)) return {};
  return " scram_client_key=" + sluice::proto::encode_base64(hashing.keys().client_key) +
         " scram_server_key=" + sluice::proto::encode_base64(hashing.keys().server_key);
}
std::string without_its_password(std::string text) {
  const std::size_t at = text.find(" password=");
  return text.erase(at, text.find(' ', at + 1) - at);
}

TEST(GivenScramKeys, LogInWithoutAPassword) {
  const std::string where = without_its_password(as_user("scram_user"));
  ASSERT_EQ(where.find("password"), std::string::npos);
  EXPECT_EQ(log_in(where + scram_keys_of("scram_user", "secret"), nullptr), "in");
  EXPECT_EQ(log_in(where + scram_keys_of("scram_user", "secret") + " sslmode=require channel_binding=require", nullptr),
            "in");
  EXPECT_EQ(log_in(where + scram_keys_of("scram_user", "another"), nullptr), "28P01");
  const auto cache = std::make_shared<sluice::scram_cache>();
  EXPECT_EQ(log_in(where + scram_keys_of("scram_user", "secret"), cache), "in");
  EXPECT_EQ(log_in(as_user("scram_user") + "x", cache), "28P01") << "they are no password's";
}

TEST(GivenScramKeys, ShowAnImpostor) {
  const std::string keys = scram_keys_of("scram_user", "secret");
  std::string wrong = keys.substr(0, keys.find(" scram_server_key="));
  wrong += " scram_server_key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  try {
    const sluice::client db{without_its_password(as_user("scram_user")) + wrong};
    ADD_FAILURE() << "logged in";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::auth_proof) << e.what();
  }
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
}  // namespace login_test
