#include "auth/saslprep.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>

#include "auth/utf8.hpp"

#include "auth/wiping.hpp"

namespace sluice::proto {

namespace {

struct code_range {
  char32_t first;
  char32_t last;
};
struct class_range {
  char32_t first;
  char32_t last;
  std::uint8_t value;
};
struct decomposition_run {
  char32_t first;
  std::uint16_t count;
  std::uint16_t size;  // UTF-16 units of each decomposition
  std::uint16_t at;    // of the first one in the pool
};
struct composition {
  char16_t starter;
  char16_t mark;
  char16_t composed;
};
#include "auth/saslprep_table.inc"

using code_points = secret_vector<char32_t>;

/// The last entry that does not begin after `code`.
template <class Entry>
const Entry* entry_for(std::span<const Entry> table, char32_t code) {
  const auto next =
      std::upper_bound(table.begin(), table.end(), code, [](char32_t c, const Entry& e) { return c < e.first; });
  return next == table.begin() ? nullptr : &*std::prev(next);
}

bool is_in(std::span<const code_range> table, char32_t code) {
  const code_range* range = entry_for(table, code);
  return range != nullptr && code <= range->last;
}

std::uint8_t combining_class(char32_t code) {
  const class_range* range = entry_for(std::span<const class_range>{classes}, code);
  return range != nullptr && code <= range->last ? range->value : std::uint8_t{0};
}

std::optional<code_points> decode_utf8(std::string_view text) {
  code_points out;
  out.reserve(text.size());
  for (utf8_character next; !text.empty(); text.remove_prefix(next.size)) {
    next = first_character(text);
    if (!next.is_valid) return {};
    out.push_back(next.code);
  }
  return out;
}

std::string encode_utf8(const code_points& codes) {
  std::string out;
  out.reserve(4 * codes.size());  // reallocating would leave a copy behind
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  for (const char32_t code : codes) {
    if (code < 0x80) {
      put(code);
      continue;
    }
    const unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    put(((0xff00U >> (more + 1)) & 0xf0U) | (code >> (6 * more)));
    for (unsigned left = more; left-- > 0;) put(0x80U | ((code >> (6 * left)) & 0x3fU));
  }
  return out;
}

/// Mapping, RFC 4013 section 2.1. U+200B is in both tables: it becomes a space.
void map(code_points& codes) {
  for (char32_t& code : codes)
    if (is_in(to_space, code)) code = U' ';
  std::erase_if(codes, [](char32_t code) { return is_in(to_nothing, code); });
}

/// Prohibited output, unassigned code points and bidirectional text, RFC 4013 sections 2.3 to 2.5.
bool is_allowed(const code_points& codes) {
  const auto any_in = [&codes](std::span<const code_range> table) {
    return std::any_of(codes.begin(), codes.end(), [table](char32_t code) { return is_in(table, code); });
  };
  if (codes.empty() || any_in(prohibited)) return false;
  if (!any_in(right_to_left)) return true;
  return !any_in(left_to_right) && is_in(right_to_left, codes.front()) && is_in(right_to_left, codes.back());
}

// Hangul syllables are composed by arithmetic: Unicode Standard, section 3.12.
constexpr char32_t hangul_first{0xac00}, leading_first{0x1100}, vowel_first{0x1161}, trailing_base{0x11a7};
constexpr char32_t leading_count{19}, vowel_count{21}, trailing_count{28};
constexpr char32_t hangul_count{leading_count * vowel_count * trailing_count};

void decompose(char32_t code, code_points& out) {
  if (code >= hangul_first && code - hangul_first < hangul_count) {
    const char32_t index = code - hangul_first;
    out.push_back(leading_first + index / (vowel_count * trailing_count));
    out.push_back(vowel_first + index / trailing_count % vowel_count);
    if (index % trailing_count != 0) out.push_back(trailing_base + index % trailing_count);
    return;
  }
  const decomposition_run* run = entry_for(std::span<const decomposition_run>{decompositions}, code);
  if (run == nullptr || code - run->first >= run->count) {
    out.push_back(code);
    return;
  }
  const auto units = std::span{pool}.subspan(run->at + std::size_t{code - run->first} * run->size, run->size);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const char32_t unit = units[i];
    const bool is_pair = unit >= 0xd800 && unit <= 0xdbff;
    out.push_back(is_pair ? 0x10000 + ((unit - 0xd800) << 10U) + (char32_t{units[++i]} - 0xdc00) : unit);
  }
}

void order_marks(code_points& codes) {
  for (auto from = codes.begin(); from != codes.end();) {
    if (combining_class(*from) == 0) {
      ++from;
      continue;
    }
    const auto to = std::find_if(from, codes.end(), [](char32_t code) { return combining_class(code) == 0; });
    // Insertion sort: runs are short, and std::stable_sort would use memory that is not wiped.
    for (auto next = from; next != to; ++next)
      std::rotate(std::upper_bound(from, next, *next,
                                   [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); }),
                  next, next + 1);
    from = to;
  }
}

std::optional<char32_t> compose_pair(char32_t starter, char32_t mark) {
  if (starter >= leading_first && starter - leading_first < leading_count && mark >= vowel_first &&
      mark - vowel_first < vowel_count)
    return hangul_first + ((starter - leading_first) * vowel_count + (mark - vowel_first)) * trailing_count;
  if (starter >= hangul_first && starter - hangul_first < hangul_count &&
      (starter - hangul_first) % trailing_count == 0 && mark > trailing_base && mark - trailing_base < trailing_count)
    return starter + (mark - trailing_base);
  const auto found = std::lower_bound(std::begin(compositions), std::end(compositions), std::pair{starter, mark},
                                      [](const composition& entry, const std::pair<char32_t, char32_t>& wanted) {
                                        return std::pair<char32_t, char32_t>{entry.starter, entry.mark} < wanted;
                                      });
  if (found == std::end(compositions) || found->starter != starter || found->mark != mark) return {};
  return found->composed;
}

void compose(code_points& codes) {
  constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  std::size_t starter = nowhere;
  std::size_t size = 0;
  for (const char32_t code : codes) {
    const std::uint8_t own_class = combining_class(code);
    // A character between the starter and this one blocks it, unless its class is lower than this one's.
    const bool is_adjacent = starter + 1 == size;
    if (starter != nowhere && (is_adjacent || combining_class(codes[size - 1]) < own_class)) {
      if (const auto composed = compose_pair(codes[starter], code)) {
        codes[starter] = *composed;
        continue;
      }
    }
    if (own_class == 0) starter = size;
    codes[size++] = code;
  }
  codes.resize(size);
}

code_points nfkc(const code_points& codes) {
  code_points out;
  out.reserve(codes.size());
  for (const char32_t code : codes) decompose(code, out);
  order_marks(out);
  compose(out);
  return out;
}

}  // namespace

std::string saslprep(std::string_view password) {
  if (std::all_of(password.begin(), password.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string{password};
  auto codes = decode_utf8(password);
  if (!codes) return std::string{password};
  map(*codes);
  if (!is_allowed(*codes)) return std::string{password};
  return encode_utf8(nfkc(*codes));
}

}  // namespace sluice::proto
