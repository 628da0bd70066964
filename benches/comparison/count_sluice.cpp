// sluice as a library, in a plain loop: --mode text (default) accesses each row's text, fields reads three fields of
// each document with simdjson's API, typed reads the same fields into a C++ struct, objects makes an object of each
// row.
#include <sluice/stream/client.hpp>

#include "counting.hpp"
#include "three_fields.hpp"

namespace {

using namespace sluice::bench;

void count_text(sluice::client& db, const sluice::query& what, tally& counted) {
  for (const sluice::row row : db.stream(what)) counted.row(row.text().size());
}

void count_fields(sluice::client& db, const sluice::query& what, tally& counted) {
  seen_users seen;
  sluice::json_parser parser;
  for (const sluice::row row : db.stream(what)) {
    sluice::json_document document = row.json(parser);
    seen.add(read_by_hand(document));
    counted.row(row.text().size());
  }
  seen.require_some();
}

void count_typed(sluice::client& db, const sluice::query& what, tally& counted) {
  seen_users seen;
  sluice::json_parser parser;
  user who;
  for (const sluice::row row : db.stream(what)) {
    sluice::read_row(row, who, parser);
    seen.add(who);
    counted.row(row.text().size());
  }
  seen.require_some();
}

void count(const counting_options& options) {
  const auto work = options.mode == "fields" ? count_fields : options.mode == "typed" ? count_typed : count_text;
  sluice::client db{options.dsn};
  tally counted;
  const bool are_objects = options.mode == "objects";
  work(db, are_objects ? sluice::sql("select * from " + options.relation) : sluice::from(options.relation), counted);
  counted.print("sluice");
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
