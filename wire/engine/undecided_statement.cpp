#include "engine/undecided_statement.hpp"

#include "messages/backend.hpp"

namespace sluice::wire {

undecided_statement::undecided_statement(const statement& what, const proto::bind& run)
    : decider_{what.decides()}, types_{what.types.begin(), what.types.end()} {
  const statement::preparation& first = what.before_copy;
  if (!what.is_copied) {
    fault_ = proto::encode(run, run_);
  } else if (!first.sql.empty()) {
    fault_ = proto::encode(proto::parse{.sql = first.sql, .parameter_types = first.types}, run_);
    if (!fault_) fault_ = proto::encode(proto::bind{.parameters = first.values}, run_);
    if (!fault_) fault_ = proto::encode(proto::execute{}, run_);
  }
}

undecided_statement::undecided_statement(const statement& what) : decider_{what.decides()}, is_running_{true} {}

bool undecided_statement::on_parameters(std::span<const std::byte> body) {
  const auto types = proto::decode_parameter_description(body);
  if (!types) return false;
  for (const std::uint32_t type : *types) parameters_.push_back(type);
  return parameters_.size() >= types_.size();
}

decision undecided_statement::on_columns(const result_columns* columns) {
  return noted(decider_->described({.parameters = parameters_, .columns = columns, .is_running = is_running_}));
}

bool undecided_statement::on_row(std::span<const std::byte> body) {
  const auto row = proto::decode_data_row(body);
  return row && decider_->told(*row);
}

std::optional<decision> undecided_statement::on_end() {
  if (!is_asking_) return std::nullopt;
  return noted(decider_->answered());
}

decision undecided_statement::noted(decision how) noexcept {
  is_asking_ = how.is == decision::kind::ask;
  return how;
}

}  // namespace sluice::wire
