#pragma once
// Changes of a database as lines of JSON.
#include <functional>
#include <optional>
#include <string>

#include <sluice/stream/changes.hpp>
#include <sluice/wire/conninfo.hpp>

namespace sluice::tool {

struct follow_options {
  change_options how{};
  std::optional<std::string> state;  // the file that keeps the position
  bool ends_now{false};              // at the position where the server's log ended at the beginning
  std::optional<lsn> until;          // or at this one
};

// One line: an object with op, table, lsn, index, xid, at, and new, old, key, unchanged where they apply.
std::string line_of(const change& each);

// The position that the file keeps; nothing if there is no such file. Throws error: bad_state when it has something
// else in it; std::system_error.
std::optional<position> read_state(const std::string& file);
// Replaces the file, so that it has the old or the new position whatever happens. Throws std::system_error.
void write_state(const std::string& file, position at);

// Writes changes to standard output up to the end that was asked for, or until `is_interrupted`; acknowledges what was
// written. `begun` is called with the stream, which a signal may interrupt.
// Throws error: as change_stream; reader_gone, output_interrupted, std::system_error.
void follow(const conninfo& where, const follow_options& given,
            const std::function<void(blocking_change_stream*)>& begun, const std::function<bool()>& is_interrupted);

}  // namespace sluice::tool
