#include <gtest/gtest.h>

#include <random>
#include <set>
#include <sluice/wire/error.hpp>
#include <sluice/wire/trace_context.hpp>
#include <string>

namespace trace_context_test {
namespace {

using sluice::trace_context;

constexpr const char* good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The message with which it is refused, or empty.
std::string refusal(const std::string& text) {
  try {
    (void)trace_context::parse(text);
  } catch (const sluice::error& why) {
    EXPECT_EQ(why.code(), sluice::errc::bad_state);
    return why.what();
  }
  return {};
}

TEST(TraceContext, ComesBackAsItWas) {
  const trace_context read = trace_context::parse(good);
  EXPECT_EQ(read.to_string(), good);
  EXPECT_EQ(read.trace_id_text(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(read.span_id_text(), "00f067aa0ba902b7");
  EXPECT_TRUE(read.is_sampled());
}

TEST(TraceContext, KeepsOnlyTheFlagsThatMeanSomething) {
  const std::string ids{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"};
  EXPECT_EQ(trace_context::parse(ids + "ff").to_string(), ids + "03");
  EXPECT_EQ(trace_context::parse(ids + "fe").to_string(), ids + "02");
  EXPECT_FALSE(trace_context::parse(ids + "fe").is_sampled());
  EXPECT_FALSE(trace_context::parse(ids + "00").is_sampled());
}

TEST(TraceContext, ReadsWhatItKnowsOfLaterVersions) {
  const std::string later = "cc" + std::string{good}.substr(2);
  EXPECT_EQ(trace_context::parse(later).to_string(), good);
  EXPECT_EQ(trace_context::parse(later + "-what the future will be like").to_string(), good);
  EXPECT_EQ(trace_context::parse(later + "-").to_string(), good);
  EXPECT_NE(refusal(later + "."), "");
  EXPECT_NE(refusal(later + "0"), "");
}

TEST(TraceContext, SaysWhatIsWrong) {
  const std::string text{good};
  const auto with = [&](std::size_t at, char c) {
    std::string changed = text;
    changed[at] = c;
    return changed;
  };
  struct expected {
    std::string text;
    const char* words;
  };
  const expected all[]{
      {"", "0 characters"},
      {text.substr(0, 54), "54 characters"},
      {' ' + text, "no dash"},
      {text + ' ', "version 00 does not allow"},
      {text + "-00", "version 00 does not allow"},
      {"ff" + text.substr(2), "no version ff"},
      {with(0, 'x'), "the version"},
      {with(2, '_'), "no dash at position 2"},
      {with(35, '0'), "no dash at position 35"},
      {with(52, ' '), "no dash at position 52"},
      {with(3, 'A'), "the trace has"},
      {with(4, 'g'), "the trace has"},
      {with(36, '\0'), "the span has"},
      {with(51, '\xff'), "the span has"},
      {with(54, '+'), "the flags has"},
      {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", "the trace is all zero"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "the span is all zero"},
  };
  for (const expected& each : all)
    EXPECT_NE(refusal(each.text).find(each.words), std::string::npos) << each.text << ": " << refusal(each.text);
  EXPECT_EQ(refusal("00-<script>alert(1)</script>-0123456789012345678901234567890123456").find("script"),
            std::string::npos)
      << "what others send is not repeated";
}

TEST(TraceContext, RefusesEveryOtherCharacterAtEveryPlace) {
  for (std::size_t at = 0; at < 55; ++at) {
    const bool is_dash = at == 2 || at == 35 || at == 52;
    for (int c = 0; c < 256; ++c) {
      std::string text{good};
      text[at] = static_cast<char>(c);
      const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      const bool is_good = is_dash ? c == '-' : is_digit;
      EXPECT_EQ(refusal(text).empty(), is_good) << text;
    }
  }
}

TEST(TraceContext, SurvivesNoise) {
  std::mt19937 random{7};  // NOLINT(cert-msc32-c, cert-msc51-cpp): the same each time
  constexpr std::string_view alphabet{"0123456789abcdef-0f-"};
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text{good};
    for (int changes = static_cast<int>(random() % 4); changes >= 0; --changes)
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    if (random() % 8 == 0) text.resize(random() % 120, 'f');
    if (refusal(text).empty()) {
      ++read;
      EXPECT_EQ(trace_context::parse(trace_context::parse(text).to_string()), trace_context::parse(text));
    }
  }
  EXPECT_GT(read, 1'000);
}

TEST(TraceContext, MakesNewOnes) {
  const trace_context root = trace_context::root();
  EXPECT_TRUE(root.is_sampled());
  EXPECT_EQ(trace_context::parse(root.to_string()), root);
  std::set<std::string> seen{root.span_id_text()};
  for (int i = 0; i < 1'000; ++i) {
    const trace_context child = root.child();
    EXPECT_EQ(child.trace_id, root.trace_id);
    EXPECT_EQ(child.flags, root.flags);
    EXPECT_TRUE(seen.insert(child.span_id_text()).second);
  }
  EXPECT_NE(trace_context::root().trace_id, root.trace_id);
}

}  // namespace
}  // namespace trace_context_test
