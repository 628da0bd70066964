#include "changes/second_connection.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <sluice/wire/error.hpp>

#include "api/session_options.hpp"
#include "drive/coroutine_driver.hpp"
#include "engine/connect.hpp"

namespace sluice::detail {

second_connection::~second_connection() {
  if (session_ != nullptr) session_->close();
}

asio::awaitable<std::vector<wire::text_row>> second_connection::ask(std::string statement) {
  // Only one that has answered is kept.
  std::shared_ptr<wire::session> on = std::exchange(session_, nullptr);
  if (on == nullptr) {
    const wire::session_options options = session_options_of(how_);
    on = co_await wire::connect(where_, options);
  }
  std::vector<wire::text_row> answer =
      co_await wire::run_text_query(*on, statement, wire::limit_after(wire::clock::now(), where_.connect_timeout));
  session_ = std::move(on);
  co_return answer;
}

asio::awaitable<type_catalog> ask_types(conninfo where, connection_options how, std::vector<std::uint32_t> types) {
  second_connection aside{std::move(where), how};
  std::string question = type_catalog::question_about(types);
  const std::vector<wire::text_row> answer = co_await aside.ask(std::move(question));
  type_catalog told;
  for (const wire::text_row& row : answer) {
    std::vector<std::string_view> fields;
    for (const std::optional<std::string>& each : row) fields.push_back(each ? std::string_view{*each} : "");
    const std::optional<type_catalog::answer> read = type_catalog::read(fields);
    if (!read) throw error{errc::protocol_violation, "the catalog's answer about types has another form"};
    told.add(*read);
  }
  co_return told;
}

}  // namespace sluice::detail
