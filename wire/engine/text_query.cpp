#include "engine/text_query.hpp"

#include <utility>

#include "drive/coroutine_driver.hpp"
#include "machines/query_machine.hpp"
#include "messages/backend.hpp"

#include "engine/flight.hpp"
#include "engine/server_report.hpp"

namespace sluice::wire {

namespace {

class text_query {
 public:
  text_query(session& on, std::string_view statement) : session_{on} {
    flight group{on.io.out, machine_};
    group << proto::query{statement};
    if (group.failure()) on.io.fail(group.failure());
  }

  [[nodiscard]] bool advance() {
    link& io = session_.io;
    while (!machine_.is_idle()) {
      const proto::framing next = proto::next_frame(io.in.arrived(), io.limits);
      if (next.found == proto::framing::kind::faulty) io.fail(next.why);
      if (next.found == proto::framing::kind::incomplete) {
        wanted_ = next.size;
        return false;
      }
      act(machine_.on(next.message), next.message);
      io.in.consume(next.size);
    }
    if (refusal_) throw *refusal_;
    return true;
  }
  [[nodiscard]] bool move() {
    const link::moved moved = session_.io.transfer(wanted_);
    if (moved == link::moved::end) fail_at_end();
    return moved == link::moved::something;
  }
  [[nodiscard]] std::vector<text_row> rows() && noexcept { return std::move(rows_); }

 private:
  void act(const proto::step& step, const proto::frame& message) {
    switch (step.is) {
      using enum proto::step::kind;
      case violation: session_.io.fail(step.why);
      case aside: session_.aside(message); break;
      case row: keep(message); break;
      case refused: {
        server_message said = read_server_message(session_.io, message);
        const bool is_last = ends_the_session(said);
        refusal_ = session_.io.server_error(std::move(said), !is_last);
        if (is_last) throw *refusal_;
        break;
      }
      default: break;
    }
  }

  void keep(const proto::frame& message) {
    constexpr std::size_t most_bytes = 16U << 20U;
    const auto values = proto::decode_data_row(message.body);
    if (!values)
      session_.io.fail(proto::fault{proto::fault::kind::malformed, 'D', "the fields do not fill the body exactly"});
    bytes_ += message.body.size();
    if (bytes_ > most_bytes) session_.io.fail(errc::stream_too_large, "the server's answer is larger than expected");
    text_row& row = rows_.emplace_back();
    for (const auto& each : *values)
      row.push_back(each ? std::optional{std::string{reinterpret_cast<const char*>(each->data()), each->size()}}
                         : std::nullopt);
  }

  [[noreturn]] void fail_at_end() const {
    if (refusal_) throw *refusal_;
    session_.io.fail_lost();
  }

  session& session_;
  proto::query_machine machine_;
  std::vector<text_row> rows_;
  std::optional<error> refusal_;
  std::size_t bytes_{0};
  std::size_t wanted_{0};
};

}  // namespace

asio::awaitable<std::vector<text_row>> run_text_query(session& on, std::string_view statement,
                                                      clock::time_point latest) {
  on.io.set_deadline(latest);
  text_query query{on, statement};
  co_await run(on.io, query);
  on.io.set_deadline(clock::time_point::max());
  co_return std::move(query).rows();
}

}  // namespace sluice::wire
