#pragma once
// A message group that is written at once: each message goes into the session's output, and the machine that waits for
// its answer is told.
#include <string_view>

#include "engine/session.hpp"
#include "machines/query_machine.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

class flight {
 public:
  flight(session& on, proto::query_machine& machine) noexcept
      : session_{on}, machine_{machine}, before_{machine}, start_{on.io.out.size()} {}

  // Throws bad_query when the protocol cannot carry the message; then nothing of the flight remains.
  template <class Message>
  flight& operator<<(const Message& message) {
    encode(message);
    machine_.sent(message);
    return *this;
  }

  // A statement of the driver's own, whose result is ignored.
  flight& aside(std::string_view sql) {
    const proto::parse statement{.statement = {}, .sql = sql, .parameter_types = {}};
    encode(statement);
    machine_.sent_aside(statement);
    *this << proto::bind{};
    encode(proto::execute{});
    machine_.sent_aside(proto::execute{});
    return *this;
  }

  // Execute of a COPY whose data is wanted.
  flight& copy() {
    encode(proto::execute{});
    machine_.sent_copy(proto::execute{});
    return *this;
  }

  void take_back() noexcept {
    session_.io.out.resize(start_);
    machine_ = before_;
  }

 private:
  template <class Message>
  void encode(const Message& message) {
    const proto::fault why = proto::encode(message, session_.io.out);
    if (!why) return;
    take_back();
    session_.io.fail(why);
  }

  session& session_;
  proto::query_machine& machine_;
  proto::query_machine before_;
  std::size_t start_;
};

}  // namespace sluice::wire
