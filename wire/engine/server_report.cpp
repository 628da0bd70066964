#include "engine/server_report.hpp"

#include <string>
#include <string_view>

#include "messages/error_fields.hpp"

namespace sluice::wire {

std::optional<server_message> read_report(const proto::frame& message) {
  const auto fields = proto::decode_error_fields(message.body);
  if (!fields) return std::nullopt;
  const auto own = [](std::string_view text) { return std::string{text}; };
  return server_message{.severity = own(fields->severity.empty() ? fields->localized_severity : fields->severity),
                        .sqlstate = own(fields->sqlstate),
                        .message = own(fields->message),
                        .detail = own(fields->detail),
                        .hint = own(fields->hint),
                        .position = fields->position,
                        .internal_position = fields->internal_position,
                        .internal_query = own(fields->internal_query),
                        .where = own(fields->where),
                        .schema = own(fields->schema),
                        .table = own(fields->table),
                        .column = own(fields->column),
                        .data_type = own(fields->data_type),
                        .constraint = own(fields->constraint),
                        .file = own(fields->file),
                        .line = own(fields->line),
                        .routine = own(fields->routine)};
}

bool ends_the_session(const server_message& said) noexcept {
  return said.severity == "FATAL" || said.severity == "PANIC";
}

}  // namespace sluice::wire
