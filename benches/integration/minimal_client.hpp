#pragma once
// The least that a client with the library's API does in coroutines of Asio: a query is an object with its values, its
// rows are a stream, both are awaited, and each message of the answer is looked at. It keeps no deadline, no
// statistics, no limits and no table of statements, checks little, and cannot be cancelled.
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/use_awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/frame.hpp>
#include <sluice/sluice.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bare_session.hpp"

namespace sluice::bench {

class minimal_client {
 public:
  /// @param sql  what every query will be, of one parameter, a bigint; its result comes in the binary format
  minimal_client(asio::io_context& on, std::string_view sql) : watched_{on, session_.descriptor()} {
    using namespace std::string_literals;
    session_.write(bare_session::message("P", "s\0"s.append(sql).append("\0\0\1\0\0\0\x14"s)) +
                   bare_session::message("S", {}));
    while (!bare_session::is_ready(session_.read())) continue;
  }
  ~minimal_client() { watched_.release(); }
  minimal_client(const minimal_client&) = delete;
  minimal_client& operator=(const minimal_client&) = delete;

  class rows {
   public:
    explicit rows(minimal_client& of) noexcept : of_{&of} {}
    /// @return the body of the next row; nothing at the end. Valid until the next call
    asio::awaitable<std::optional<std::span<const std::byte>>> next() {
      for (;;) {
        while (const std::optional<proto::frame> message = of_->next_message()) {
          if (message->type == 'D') co_return message->body;
          if (message->type == 'E') throw std::runtime_error{"the server has refused a query"};
          if (message->type == 'Z') co_return std::nullopt;
        }
        co_await of_->watched_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        of_->arrived_ = std::as_bytes(std::span{of_->session_.read()});
      }
    }

   private:
    minimal_client* of_;
  };

  asio::awaitable<rows> stream(query what) {
    out_.clear();
    begin('B');
    out_.append("\0s\0\0\0\0\1", 7);
    for (const bind_value& each : what.parameters()) {
      const std::string& value = each.text().value();
      append(static_cast<std::uint32_t>(value.size()));
      out_.append(value);
    }
    out_.append("\0\1\0\1", 4);
    end();
    begin('E');
    out_.append(5, '\0');
    end();
    begin('S');
    end();
    session_.write(out_);
    co_return rows{*this};
  }

 private:
  void begin(char type) {
    out_ += type;
    length_at_ = out_.size();
    append(0U);
  }
  void end() {
    const auto length = static_cast<std::uint32_t>(out_.size() - length_at_);
    proto::store_big(std::as_writable_bytes(std::span{out_}).data() + length_at_, length);
  }
  void append(std::uint32_t value) {
    out_.append(sizeof value, '\0');
    proto::store_big(std::as_writable_bytes(std::span{out_}).data() + out_.size() - sizeof value, value);
  }
  /// Answers of a query by key come whole.
  std::optional<proto::frame> next_message() {
    const proto::framing next = proto::next_frame(arrived_, limits_);
    if (next.found != proto::framing::kind::complete) return std::nullopt;
    arrived_ = arrived_.subspan(next.size);
    return next.message;
  }

  bare_session session_;
  asio::posix::stream_descriptor watched_;
  proto::limits limits_{};
  std::string out_;
  std::size_t length_at_{0};
  std::span<const std::byte> arrived_;
};

}  // namespace sluice::bench
