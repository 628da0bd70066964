// Counts the activity of a connection, and prints it in the Prometheus text format.
//
//     metrics [CONNINFO]
#include <cstdio>
#include <exception>
#include <memory>

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sluice/sluice.hpp>
#include <sluice/stream/prometheus.hpp>

int main(int argc, char** argv) try {
  const auto registry = std::make_shared<prometheus::Registry>();
  sluice::prometheus_observer metrics{*registry, "example"};
  {
    sluice::connection_options watched;
    watched.watch = &metrics;  // must outlive the connection
    sluice::client db{argc > 1 ? argv[1] : "", watched};
    for ([[maybe_unused]] const sluice::row user : db.stream(sluice::from("v_user"))) {
    }
    try {
      (void)db.execute("select 1 / 0");
    } catch (const sluice::error&) {  // also counted
    }
  }
  std::fputs(prometheus::TextSerializer{}.Serialize(registry->Collect()).c_str(), stdout);
} catch (const std::exception& e) {
  std::fprintf(stderr, "metrics: %s\n", e.what());
  return 1;
}
