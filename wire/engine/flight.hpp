#pragma once
// A message group that is written at once: each message goes into the output, and the machine that waits for its answer
// is told. What cannot be encoded is taken back as a whole.
#include <string_view>

#include <sluice/proto/fault.hpp>

#include "machines/query_machine.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

class flight {
 public:
  flight(proto::output& out, proto::query_machine& machine) noexcept
      : out_{out}, machine_{machine}, before_{machine}, start_{out.size()} {}

  template <class Message>
  flight& operator<<(const Message& message) {
    if (encode(message)) machine_.sent(message);
    return *this;
  }

  /// A statement of the driver's own, whose result is ignored.
  flight& aside(std::string_view sql) {
    prepare(sql);
    if (encode(proto::execute{})) machine_.sent_aside(proto::execute{});
    return *this;
  }

  /// The same for one whose rows are answers.
  flight& question(std::string_view sql) {
    prepare(sql);
    if (encode(proto::execute{})) machine_.sent_question(proto::execute{});
    return *this;
  }

  /// Execute of a COPY whose data is wanted.
  flight& copy() {
    if (encode(proto::execute{})) machine_.sent_copy(proto::execute{});
    return *this;
  }

  /// A message whose answer the machine is told to await when it is due.
  template <class Message>
  flight& told_later(const Message& message) {
    (void)encode(message);
    return *this;
  }

  /// Why the protocol cannot carry one of the messages; then nothing of the flight remains.
  [[nodiscard]] const proto::fault& failure() const noexcept { return failure_; }

  /// It cannot be sent, for a reason found elsewhere.
  void fail(const proto::fault& why) noexcept {
    failure_ = why;
    take_back();
  }
  void take_back() noexcept {
    out_.resize(start_);
    machine_ = before_;
  }

 private:
  void prepare(std::string_view sql) {
    const proto::parse statement{.statement = {}, .sql = sql, .parameter_types = {}};
    if (encode(statement)) machine_.sent_aside(statement);
    *this << proto::bind{};
  }

  template <class Message>
  [[nodiscard]] bool encode(const Message& message) {
    if (failure_) return false;
    failure_ = proto::encode(message, out_);
    if (failure_) take_back();
    return !failure_;
  }

  proto::output& out_;
  proto::query_machine& machine_;
  proto::query_machine before_;
  std::size_t start_;
  proto::fault failure_{};
};

}  // namespace sluice::wire
