// The C data interface: who owns what, in any order. Sanitizers and counted memory see what is freed.
#include "arrow/exported.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "arrow/arrow_type.hpp"

namespace exported_test {
namespace {

using namespace sluice::detail;

arrow_buffer::memory some_bytes() {
  arrow_buffer bytes;
  bytes.add_zeros(100);
  return bytes.take();
}
ArrowArray leaf() {
  array_parts parts;
  parts.length = 3;
  parts.has_validity = false;
  parts.buffers.push_back(some_bytes());
  return export_array(std::move(parts));
}
ArrowArray nested() {
  array_parts parts;
  parts.length = 3;
  parts.null_count = 1;
  parts.buffers.push_back(some_bytes());
  parts.children.push_back(leaf());
  parts.children.push_back(leaf());
  parts.dictionary = leaf();
  return export_array(std::move(parts));
}

TEST(ExportedArray, SaysWhatItConsistsOf) {
  ArrowArray array = nested();
  EXPECT_EQ(array.n_buffers, 1);
  EXPECT_NE(array.buffers[0], nullptr);
  EXPECT_EQ(array.n_children, 2);
  EXPECT_EQ(array.null_count, 1);
  ASSERT_NE(array.dictionary, nullptr);
  EXPECT_EQ(array.dictionary->buffers[0], nullptr) << "an absent bitmap has its place all the same";
  EXPECT_EQ(array.dictionary->n_buffers, 2);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.children[0]->buffers[1]) % arrow_buffer::alignment, 0U);
  array.release(&array);
  EXPECT_EQ(array.release, nullptr);
}

TEST(ExportedArray, GoesOnAfterItWasMovedBytewise) {
  ArrowArray array = nested();
  ArrowArray moved{};
  std::memcpy(&moved, &array, sizeof moved);
  std::memset(&array, 0xff, sizeof array);
  EXPECT_EQ(moved.children[1]->length, 3);
  moved.release(&moved);
}

TEST(ExportedArray, MayBeReleasedWhileAChildThatWasTakenLivesOn) {
  ArrowArray array = nested();
  ArrowArray child{};
  std::memcpy(&child, array.children[1], sizeof child);
  array.children[1]->release = nullptr;  // as the specification has it
  array.release(&array);
  EXPECT_EQ(child.length, 3);
  EXPECT_EQ(*static_cast<const char*>(child.buffers[1]), 0);
  child.release(&child);
}

TEST(ExportedArray, MayBeReleasedByAnotherThread) {
  ArrowArray array = nested();
  std::thread{[array]() mutable { array.release(&array); }}.join();
}

TEST(ExportedSchema, HasNamesChildrenAndMetadata) {
  arrow_type type{.is = arrow_type::kind::structure, .format = "+s"};
  type.children.push_back({.name = "doc", .format = "u", .extension = "arrow.json"});
  type.children.push_back({.is = arrow_type::kind::label, .name = "mood", .format = "i"});
  ArrowSchema schema = export_schema(type);
  ArrowSchema moved{};
  std::memcpy(&moved, &schema, sizeof moved);
  EXPECT_STREQ(moved.children[0]->name, "doc");
  const std::string metadata{moved.children[0]->metadata, 4 + 4 + 20 + 4 + 10};
  EXPECT_NE(metadata.find("ARROW:extension:name"), std::string::npos);
  EXPECT_NE(metadata.find("arrow.json"), std::string::npos);
  EXPECT_EQ(moved.children[1]->metadata, nullptr);
  EXPECT_STREQ(moved.children[1]->dictionary->format, "u");
  ArrowSchema child{};
  std::memcpy(&child, moved.children[0], sizeof child);
  moved.children[0]->release = nullptr;
  moved.release(&moved);
  EXPECT_STREQ(child.name, "doc");
  child.release(&child);
}

}  // namespace
}  // namespace exported_test
