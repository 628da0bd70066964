#include <sluice/wire/observer.hpp>

namespace sluice {

observer::~observer() = default;
void observer::on_dial(const connect_event& /*event*/) noexcept {}
void observer::on_tls(const connect_event& /*event*/) noexcept {}
void observer::on_authentication(const connect_event& /*event*/) noexcept {}
void observer::on_connect(const connect_event& /*event*/) noexcept {}
void observer::on_query(const query_event& /*event*/) noexcept {}
void observer::on_first_row(const query_event& /*event*/, event_clock::duration /*after*/) noexcept {}
void observer::on_chunk(const chunk_event& /*event*/) noexcept {}
void observer::on_query_end(const query_end_event& /*event*/) noexcept {}
void observer::on_leave(const leave_event& /*event*/) noexcept {}
void observer::on_limit(const limit_event& /*event*/) noexcept {}
void observer::on_trace(std::string_view /*line*/) noexcept {}
void observer::on_notice(const server_message& /*notice*/) noexcept {}
void observer::on_pool(const pool_event& /*event*/) noexcept {}
void observer::on_cache(const cache_event& /*event*/) noexcept {}
void observer::on_change_stream(const change_stream_event& /*event*/) noexcept {}
void observer::on_span(const span_event& /*event*/) noexcept {}

std::string_view to_string(span_event::kind what) noexcept {
  constexpr std::array names{"connect", "acquire", "query", "first_row", "page", "copy", "change_batch"};
  return names[static_cast<std::size_t>(what)];
}

}  // namespace sluice
