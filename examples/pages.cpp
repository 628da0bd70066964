// Reads users in pages with pauses in between: while a paged stream is paused, its connection can run other queries.
//
//     pages [CONNINFO]
#include <cstdio>
#include <string>

#include <sluice/sluice.hpp>
#include <sluice/stream/typed.hpp>

namespace {

struct user {
  std::int64_t id{};
  std::string name;
};
SLUICE_JSON(user, id, name)

}  // namespace

int main(int argc, char** argv) try {
  using sluice::field;
  sluice::client db{argc > 1 ? argv[1] : ""};

  int users = 0;
  int orders = 0;
  int pauses = 0;
  sluice::row_range rows = db.stream(sluice::from("v_user").where(field("tags").has("vip")),
                                     {.mode = sluice::fetch_mode::paged, .page_rows = 50});
  while (const sluice::chunk chunk = rows.next()) {
    std::int64_t last = 0;
    for (const sluice::row each : chunk) {
      last = each.as<user>().id;
      ++users;
    }
    rows.pause();  // invalidates the chunk; the stream resumes where it stopped
    ++pauses;
    const sluice::query asked = sluice::from("v_order").where(field("customer.id") == last).select("id");
    for ([[maybe_unused]] const sluice::row order : db.stream(asked)) ++orders;
  }
  std::printf("%d users in %s pages, %d orders of the last of each\n", users, pauses > 1 ? "several" : "one", orders);
} catch (const sluice::error& e) {
  std::fprintf(stderr, "pages: %s\n", e.what());
  return 1;
}
