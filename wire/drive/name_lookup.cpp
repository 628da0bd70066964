#include "drive/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace sluice::wire {

void name_lookup::look_up(const std::string& name, const std::string& port, answer& found) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* all{};
  const int result = ::getaddrinfo(name.c_str(), port.c_str(), &hints, &all);
  if (result == EAI_SYSTEM) {
    found.failure = std::system_category().message(errno);
  } else if (result != 0) {
    found.failure = ::gai_strerror(result);
  } else {
    for (const addrinfo* each = all; each != nullptr; each = each->ai_next)
      found.endpoints.emplace_back(each->ai_addr, each->ai_addrlen, each->ai_protocol);
    ::freeaddrinfo(all);
  }
}

name_lookup::name_lookup(const asio::any_io_executor& on, const std::string& name, std::uint16_t port)
    : found_{std::make_shared<answer>()}, thread_{on, [name, text = std::to_string(port), to = found_] {
                                                    try {
                                                      look_up(name, text, *to);
                                                    } catch (const std::bad_alloc&) {
                                                      to->failure = "out of memory";
                                                    }
                                                  }} {}

}  // namespace sluice::wire
