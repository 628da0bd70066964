#pragma once
// A statement whose SQL depends on its result columns, until the decision: what the server reports about it, and the
// messages that run it, which are encoded while the caller's values are still available.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <sluice/proto/fault.hpp>

#include "engine/decider.hpp"
#include "engine/statement.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

class undecided_statement {
 public:
  /// @param run  the message that runs it, unless it becomes a COPY
  /// @par Errors  throws error: as the statement's `decides`
  undecided_statement(const statement& what, const proto::bind& run);
  /// One that is running already.
  explicit undecided_statement(const statement& what);

  /// Why the protocol cannot carry the messages that run it, or nothing.
  [[nodiscard]] const proto::fault& fault() const noexcept { return fault_; }
  [[nodiscard]] bool is_running() const noexcept { return is_running_; }
  /// The types of the parameters, as the caller named them.
  [[nodiscard]] std::span<const std::uint32_t> types() const noexcept { return types_; }
  /// Bind, or the messages that prepare a COPY: Parse, Bind and Execute.
  [[nodiscard]] const proto::output& run() const noexcept { return run_; }
  /// The result is wanted in these formats.
  /// @pre `run` is Bind
  [[nodiscard]] proto::fault in(std::span<const proto::value_format> formats) {
    return proto::set_result_formats(run_, formats);
  }

  /// Handles ParameterDescription.
  /// @return false if it has fewer parameters than were named
  [[nodiscard]] bool on_parameters(std::span<const std::byte> body);
  /// Handles RowDescription; null for NoData.
  [[nodiscard]] decision on_columns(const result_columns* columns);
  /// Handles a DataRow of the question that is asked besides the statement.
  /// @return whether it can be an answer
  [[nodiscard]] bool on_row(std::span<const std::byte> body);
  /// The question that is asked besides the statement has ended.
  /// @return nothing if the description is still to come
  [[nodiscard]] std::optional<decision> on_end();

 private:
  [[nodiscard]] decision noted(decision how) noexcept;

  std::unique_ptr<decider> decider_;
  std::vector<std::uint32_t> types_;
  std::vector<std::uint32_t> parameters_;  // as the server inferred them
  proto::output run_;
  proto::fault fault_{};
  bool is_asking_{false};
  bool is_running_{false};
};

}  // namespace sluice::wire
