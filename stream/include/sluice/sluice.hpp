#pragma once
/// @file
/// The umbrella header. It leaves out <sluice/stream/json.hpp>, <sluice/stream/typed.hpp> and
/// <sluice/stream/typed_stream.hpp>, which include simdjson, and <sluice/stream/async.hpp> and
/// <sluice/stream/document_writer.hpp>, which include more of Asio; and what only some programs need:
/// <sluice/stream/copy.hpp>, <sluice/stream/batch.hpp>, <sluice/stream/single_row.hpp>,
/// <sluice/stream/in_transaction.hpp>.
///
/// @mainpage
/// Postgres results as a bounded stream of JSON rows. Entry points:
/// - sluice::client for plain loops, sluice::connection for coroutines, sluice::pool for many tasks
/// - sluice::from and sluice::sql: what to stream; sluice::predicate: conditions
/// - sluice::row_range and sluice::row_stream, sluice::chunk, sluice::row: results; what all streams can do:
///   sluice::blocking_stream and sluice::awaitable_stream
/// - sluice::transaction and sluice::blocking_transaction
/// - sluice::stream_in_parallel: one relation over several connections; sluice::partitions: in several processes
/// - sluice::error: every failure
/// - sluice::connection_options and sluice::query_options: bounds, deadlines and modes

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/stream/command_result.hpp>
#include <sluice/stream/concepts.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/notifications.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/partitions.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/pipeline.hpp>
#include <sluice/stream/pool.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/stream/transaction.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>
#include <sluice/wire/leaving.hpp>
#include <sluice/wire/observer.hpp>
