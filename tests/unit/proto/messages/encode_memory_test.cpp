// How `encode` uses memory: replaces operator new and delete, to make allocations fail and to inspect freed memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>
#include "messages/frontend.hpp"

namespace {

constexpr std::string_view secret = "correct horse battery staple";
constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
std::size_t allocations_left = unlimited;
std::size_t largest = 0;
std::size_t secrets_freed = 0;

}  // namespace

// NOLINTBEGIN(misc-*,cppcoreguidelines-*)
void* operator new(std::size_t size) {
  largest = std::max(largest, size);
  if (allocations_left == 0) throw std::bad_alloc{};
  if (allocations_left != unlimited) --allocations_left;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t size) noexcept {
  if (std::string_view{static_cast<const char*>(memory), size}.find(secret) != std::string_view::npos) ++secrets_freed;
  std::free(memory);
}
// NOLINTEND(misc-*,cppcoreguidelines-*)

namespace {

using namespace sluice::proto;

/// Encodes into a buffer with one byte and no free capacity, and makes each of its growths fail in turn.
template <class Message>
void expect_nothing_left_behind(const Message& message, const char* what) {
  std::size_t failures = 0;
  for (std::size_t nth = 0;; ++nth) {
    output out{std::byte{7}};
    out.shrink_to_fit();
    bool failed = false;
    allocations_left = nth;
    try {
      (void)encode(message, out);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = unlimited;
    if (!failed) break;
    ++failures;
    EXPECT_EQ(out, output{std::byte{7}}) << what << ", allocation " << nth;
  }
  EXPECT_GT(failures, 0U) << what;
}

TEST(EncodeMemory, LeavesTheBufferAsItWasWhicheverAllocationFails) {
  const std::array<parameter, 3> values{{{.value = "a"}, {.value = "b", .binary = true}, {}}};
  const std::array<startup_parameter, 2> settings{{{"user", "me"}, {"database", "app"}}};
  const std::array<std::uint32_t, 2> types{20, 25};
  expect_nothing_left_behind(startup_message{.parameters = settings}, "startup_message");
  expect_nothing_left_behind(parse{"s1", "select $1", types}, "parse");
  expect_nothing_left_behind(bind{.portal = "p", .statement = "s", .parameters = values}, "bind");
  expect_nothing_left_behind(sluice::proto::sync{}, "sync");
}

TEST(EncodeMemory, FreesNoCopyOfAPassword) {
  for (std::size_t room = 0; room <= 2 * secret.size(); ++room) {
    output out;
    out.reserve(room);
    secrets_freed = 0;
    EXPECT_FALSE(encode(password_message{secret}, out));
    EXPECT_EQ(secrets_freed, 0U) << "with room for " << room;
    std::fill(out.begin(), out.end(), std::byte{});  // callers overwrite secrets like this
  }
}

TEST(EncodeMemory, TakesNoneForValuesThatAreTooLongTogether) {
  const std::string value(1U << 20U, 'x');
  const std::vector<parameter> values(1'024, parameter{.value = value});
  output out;
  largest = 0;
  EXPECT_EQ(encode(bind{.parameters = values}, out).what, fault::kind::unencodable);
  EXPECT_LT(largest, value.size());
  EXPECT_TRUE(out.empty());
}

}  // namespace
