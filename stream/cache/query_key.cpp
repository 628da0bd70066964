#include "cache/query_key.hpp"

#include <cstdint>
#include <utility>

#include "query/place_list.hpp"

namespace sluice::detail {

namespace {

class key_writer {
 public:
  explicit key_writer(std::string& into) : into_{into} {
    constexpr std::size_t most_kept = 64U << 10U;
    if (into_.capacity() > most_kept) into_ = std::string{};
    into_.clear();
  }

  void add(std::uint64_t number) {
    constexpr unsigned bits = 7;
    constexpr std::uint64_t more = 1U << bits;
    for (; number >= more; number >>= bits) into_ += static_cast<char>((number % more) | more);
    into_ += static_cast<char>(number);
  }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    into_ += text;
  }

 private:
  std::string& into_;
};

std::size_t size_of(const query& what, std::string_view relation, const declared& more) {
  std::size_t sum = what.text().size() + relation.size() + more.session.size();
  for (const std::string& each : more.tags) sum += each.size();
  for (const bind_value& each : what.parameters()) sum += each.text() ? each.text()->size() : 0;
  return sum;
}

}  // namespace

bool write_key(query_key& into, const query& what, fetch_mode mode, const declared& more, std::size_t most) {
  const std::string relation = what.relation_name();
  if (size_of(what, relation, more) > most) return false;
  key_writer statement{into.statement};
  statement.add(what.text());
  statement.add(static_cast<std::uint64_t>(what.rows()));
  statement.add(static_cast<std::uint64_t>(mode));
  statement.add(std::uint64_t{what.undeclared() != nullptr});
  statement.add(more.session);
  statement.add(relation);
  statement.add(std::uint64_t{more.tags.size()});
  for (const std::string& each : more.tags) statement.add(each);
  if (const place_list* const places = what.places().get()) {
    statement.add(std::uint64_t{places->of_columns.size()} + 1);
    for (const std::vector<std::string>& place : places->of_columns) {
      statement.add(std::uint64_t{place.size()});
      for (const std::string& name : place) statement.add(name);
    }
  } else {
    statement.add(std::uint64_t{0});
  }
  key_writer values{into.values};
  for (const bind_value& each : what.parameters()) {
    statement.add(std::uint64_t{each.type()});
    if (!each.text()) {
      values.add(std::uint64_t{0});
      continue;
    }
    values.add(std::uint64_t{each.text()->size()} + 1);
    into.values += *each.text();
  }
  return into.statement.size() + into.values.size() <= most;
}

std::vector<std::string> tags_of(const query& what, const std::vector<std::string>& more) {
  std::vector<std::string> all;
  all.reserve(more.size() + 1);
  if (std::string relation = what.relation_name(); !relation.empty()) all.push_back(std::move(relation));
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace sluice::detail
