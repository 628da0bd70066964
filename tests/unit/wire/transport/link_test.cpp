// A connection that the server has ended before it is used.
#include <gtest/gtest.h>

#include <utility>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <sluice/wire/error.hpp>

#include "transport/link.hpp"

namespace link_test {
namespace {

using asio::ip::tcp;

TEST(Link, OfAConnectionThatWasResetTellsAtTheFirstRead) {
  asio::io_context context;
  tcp::acceptor listening{context, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket ours{context};
  ours.connect(listening.local_endpoint());
  {
    tcp::socket theirs = listening.accept();
    theirs.set_option(asio::socket_base::linger{true, 0});
    theirs.close();  // Asio's destructor would not reset it
  }
  ours.wait(tcp::socket::wait_read);
  sluice::wire::link gone{sluice::wire::socket{std::move(ours)}, {}, 1'000};
  try {
    EXPECT_EQ(gone.transfer(1), sluice::wire::link::moved::end);
  } catch (const sluice::error& failure) {
    EXPECT_EQ(failure.code(), sluice::errc::connection_lost);
  }
}

}  // namespace
}  // namespace link_test
