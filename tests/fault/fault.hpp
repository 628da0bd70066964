#pragma once
// One fault: what a hostile server does, and what a program must see of it, whichever way it asks.
#include <chrono>
#include <ostream>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>

#include "script.hpp"

namespace sluice::test {

/// What a program sees.
struct ending {
  errc code{};             ///< none: all is well
  std::string says{};      ///< part of the message
  std::uint64_t rows{};    ///< delivered before
  std::string sqlstate{};  ///< empty: the server did not say one
  bool is_retryable{false};
  bool is_usable{false};  ///< the connection takes another query
};

struct fault {
  std::string name;
  script server;
  ending expected;
  std::string options{};                     ///< of the connection string
  std::chrono::milliseconds timeout{5'000};  ///< of the query
  fetch_mode mode{fetch_mode::plain};

  friend std::ostream& operator<<(std::ostream& out, const fault& f) { return out << f.name; }
};

/// The faults of `answers.cpp`: a session that was good, and then an answer that is not.
std::vector<fault> told_by_the_server();
std::vector<fault> harmless();
std::vector<fault> violations();
std::vector<fault> copies();
/// Those of `bulk.cpp`: a COPY that was asked for, and is not one.
std::vector<fault> bulk();
/// Those of `endings.cpp`: a server that goes away, falls silent, or never comes to an end.
std::vector<fault> leavers();
std::vector<fault> endless();
/// Those of `logins.cpp`: no session comes about.
std::vector<fault> refusals();
std::vector<fault> bad_logins();
std::vector<fault> bad_tls();

}  // namespace sluice::test
