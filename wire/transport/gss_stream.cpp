#include "transport/gss_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "messages/gss_packet.hpp"

namespace sluice::wire {

namespace {

constexpr std::size_t most_received_at_once = 256U << 10U;  // by one call
constexpr std::size_t packets_at_once = 64U << 10U;         // bytes of packets that are received, or sent, together
static_assert(packets_at_once >= proto::max_gss_token_packet && packets_at_once >= proto::max_gss_packet);

}  // namespace

secured_stream::status gss_stream::fail(std::string why) noexcept {
  failure_ = std::move(why);
  return status::failed;
}

void gss_stream::begin_exchange() {
  awaits_token_ = !context_->is_established();
  token_.clear();
  if (context_->token().empty()) return;
  if (proto::append_gss_packet(context_->token(), proto::max_gss_token_packet, out_))
    failure_ = "the token that GSSAPI made is too long for a packet: is the user in very many groups?";
}

secured_stream::status gss_stream::handshake() {
  if (!failure_.empty()) return status::failed;
  if (const status sent = flush(); sent != status::done) return sent;
  if (!awaits_token_) return status::done;
  std::size_t budget = most_received_at_once;
  std::span<const std::byte> content;
  const status got = next_packet(proto::max_gss_token_packet, budget, content);
  if (got != status::done) {
    // Its text is not shown: nothing vouches for it.
    if (!has_heard_ && in_end_ != 0 && in_[0] == std::byte{'E'})
      return fail("the server answered the token of GSSAPI with an error");
    return got;
  }
  has_heard_ = true;
  awaits_token_ = false;
  token_.assign(content.begin(), content.end());
  return status::done;
}

secured_stream::result gss_stream::read(std::span<std::byte> into) noexcept {
  std::size_t count = 0;
  std::size_t budget = most_received_at_once;
  try {
    while (count < into.size()) {
      if (plain_start_ == plain_.size()) {
        const status now = fill(budget);
        if (now == status::done) continue;
        return {count != 0 ? status::done : now, count};  // an end or a failure is reported again by the next call
      }
      const std::size_t size = std::min(into.size() - count, plain_.size() - plain_start_);
      std::memcpy(into.data() + count, plain_.data() + plain_start_, size);
      plain_start_ += size;
      count += size;
    }
  } catch (const std::bad_alloc&) {
    plain_.clear();  // it may have been handed out before; and the next packet may be lost, so none follows it
    plain_start_ = 0;
    const status now = fail("out of memory");
    return {count != 0 ? status::done : now, count};
  }
  return {status::done, count};
}

/// Decrypts the next packet.
secured_stream::status gss_stream::fill(std::size_t& budget) {
  if (!failure_.empty()) return status::failed;
  std::span<const std::byte> content;
  const status got = next_packet(proto::max_gss_packet, budget, content);
  if (got != status::done) {
    if (got == status::later && in_start_ == in_end_) {  // an idle connection keeps no buffers
      in_.reset();
      plain_ = {};
      in_start_ = in_end_ = plain_start_ = 0;
    }
    return got;
  }
  plain_start_ = 0;
  if (!context_->unwrap(content, plain_)) {
    plain_.clear();
    return fail(context_->failure());
  }
  return status::done;
}

/// Finds the next packet in what was received, and receives more if it is not complete.
/// @par Lifetime  `content` is valid until the next call
secured_stream::status gss_stream::next_packet(std::size_t most, std::size_t& budget,
                                               std::span<const std::byte>& content) {
  for (;;) {
    const proto::gss_framing next = proto::next_gss_packet(std::span{in_.get() + in_start_, in_end_ - in_start_}, most);
    if (next.found == proto::framing::kind::faulty)
      return fail(std::string{next.why.rule} + ": what the server sends is not encrypted by GSSAPI");
    if (next.found == proto::framing::kind::complete) {
      content = next.content;
      in_start_ += next.size;
      return status::done;
    }
    if (const status got = receive(budget); got != status::done) return got;
  }
}

/// Receives something. What has not been taken yet is less than a packet, so there is room.
secured_stream::status gss_stream::receive(std::size_t& budget) {
  if (in_ == nullptr) in_ = std::make_unique_for_overwrite<std::byte[]>(packets_at_once);
  std::memmove(in_.get(), in_.get() + in_start_, in_end_ - in_start_);
  in_end_ -= std::exchange(in_start_, 0);
  const std::size_t room = std::min(packets_at_once - in_end_, budget);
  if (room == 0) return status::later;  // the rest is left to the next call: the socket is ready for it
  for (;;) {
    const ssize_t count = ::recv(descriptor_, in_.get() + in_end_, room, 0);
    if (count > 0) {
      in_end_ += static_cast<std::size_t>(count);
      budget -= static_cast<std::size_t>(count);
      return status::done;
    }
    if (count == 0) return status::ended;
    if (errno == EINTR) continue;
    if ((errno == EAGAIN || errno == EWOULDBLOCK) && error_ == 0) return status::later;
    if (error_ == 0) error_ = errno;
    return status::ended;
  }
}

secured_stream::result gss_stream::write(std::span<const std::byte> from) noexcept {
  try {
    if (!failure_.empty()) return {status::failed, 0};
    if (out_.empty()) {
      if (const status made = encrypt(from); made != status::done) return {made, 0};
    }
  } catch (const std::bad_alloc&) {
    out_.clear();  // some packets may be in it, and the context has counted them: nothing can be sent any more
    return {fail("out of memory"), 0};
  }
  const status sent = flush();
  return {sent, sent == status::done ? std::exchange(out_plain_, 0) : 0};
}

/// Encrypts some of it, at least one packet.
secured_stream::status gss_stream::encrypt(std::span<const std::byte> from) {
  if (most_plain_ == 0) most_plain_ = context_->room_in(proto::max_gss_packet - proto::gss_header_size);
  if (most_plain_ == 0) return fail(context_->failure().empty() ? "GSSAPI can encrypt nothing" : context_->failure());
  out_plain_ = 0;
  out_.reserve(std::min(packets_at_once, from.size() + proto::max_gss_packet));
  while (out_plain_ < from.size() && out_.size() + proto::max_gss_packet <= packets_at_once) {
    const std::size_t size = std::min(most_plain_, from.size() - out_plain_);
    if (!context_->wrap(from.subspan(out_plain_, size), out_)) {
      out_.clear();
      return fail(context_->failure());
    }
    out_plain_ += size;
  }
  return status::done;
}

/// Sends the packets.
secured_stream::status gss_stream::flush() noexcept {
  while (out_sent_ < out_.size()) {
    const ssize_t count = ::send(descriptor_, out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (count >= 0) {
      out_sent_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return status::later;
    } else if (errno != EINTR) {
      error_ = errno;
      return status::ended;
    }
  }
  out_ = {};
  out_sent_ = 0;
  return status::done;
}

}  // namespace sluice::wire
