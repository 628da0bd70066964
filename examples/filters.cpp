// A filter on users, written in C++ and evaluated by the server; a condition that only this program knows runs here.
//
//     filters [CONNINFO]
#include <cstdio>
#include <string_view>

#include <sluice/sluice.hpp>

namespace {

/// A condition that cannot be expressed in SQL.
bool is_palindrome(std::string_view word) {
  for (std::size_t i = 0; i < word.size() / 2; ++i)
    if (word[i] != word[word.size() - 1 - i]) return false;
  return true;
}

bool has_funny_number(const sluice::row& user) {
  const std::string_view text = user.text();
  const std::size_t at = text.find("\"id\": ");
  const std::size_t begin = at + 6;
  return at != text.npos && is_palindrome(text.substr(begin, text.find_first_not_of("0123456789", begin) - begin));
}

}  // namespace

int main(int argc, char** argv) try {
  using sluice::field;
  sluice::client db{argc > 1 ? argv[1] : ""};

  const sluice::predicate grown_up = field("profile.age").between(30, 60) && field("profile.city").in({"Oslo", "Lima"});
  const sluice::predicate known = field("tags").has("vip") || field("email").iends_with("@EXAMPLE.com");
  const sluice::relation wanted = sluice::from("v_user")
                                      .where(field("status") == "active" && grown_up && known)
                                      .where(sluice::local(has_funny_number, "funny number"))
                                      .order_by(desc(field("profile.age").as_numeric()))
                                      .order_by(field("id").as_numeric())
                                      .limit(5);
  std::fputs(wanted.build().explain().c_str(), stderr);  // the SQL, and the conditions that remain on the client
  for (const sluice::row user : db.stream(wanted))
    std::printf("%.*s\n", static_cast<int>(user.text().size()), user.text().data());
} catch (const sluice::error& e) {
  std::fprintf(stderr, "filters: %s\n", e.what());
  return 1;
}
