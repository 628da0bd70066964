#include "query/result_shape.hpp"

#include <sluice/proto/oid.hpp>

namespace sluice::detail {

std::string_view without_end(std::string_view query) {
  const std::size_t last = query.find_last_not_of("; \n\r\t\f\v");
  return query.substr(0, last + 1);
}

std::string as_objects(std::string_view query) { return as_objects(query, {}); }

std::string as_objects(std::string_view query, std::string_view names) {
  const std::string named = names.empty() ? std::string{} : '(' + std::string{names} + ')';
  return "with q" + named + " as (" + std::string{without_end(query)} +
         "\n) select pg_catalog.row_to_json(q.*) from q";  // a plain q may be a column
}

bool is_document(const proto::row_description& columns) {
  if (columns.size() != 1) return false;
  const std::uint32_t type = columns.begin()->type;
  return type == proto::oid::json || type == proto::oid::jsonb;
}

namespace {

class detector final : public wire::decider {
 public:
  explicit detector(std::string_view text) : text_{text} {}

  wire::decision described(const wire::description& what) override {
    if (what.columns == nullptr || is_document(*what.columns)) return {};
    return {.is = wire::decision::kind::instead, .sql = as_objects(text_)};
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<wire::decider> detect_shape(const wire::statement& of) { return std::make_unique<detector>(of.text); }

}  // namespace sluice::detail
