#pragma once
/// @file
/// Asynchronous messages: what a server may send without being asked.

#include <cstdint>
#include <functional>
#include <string>

#include <sluice/wire/error.hpp>

namespace sluice {

/// A NotificationResponse: a NOTIFY on a channel that this session listens to.
struct notification {
  std::string channel;
  std::string payload;
  std::uint32_t pid{};  ///< the backend that sent it
};

/// Called for each notice; see `connection::on_notice`.
using notice_handler = std::function<void(const server_message&)>;
/// Called for each notification; see `connection::on_notification`.
using notification_handler = std::function<void(const notification&)>;

namespace wire {
class session;
}

}  // namespace sluice
