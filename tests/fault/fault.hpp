#pragma once
// One fault: what a hostile server does, and what every API must report.
#include <chrono>
#include <ostream>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>

#include "script.hpp"

namespace sluice::test {

/// What the program must see.
struct ending {
  errc code{};             ///< zero: no error
  std::string says{};      ///< part of the message
  std::uint64_t rows{};    ///< rows delivered before the failure
  std::string sqlstate{};  ///< empty: the error carries none
  bool is_retryable{false};
  bool is_usable{false};  ///< whether the connection accepts another query
};

struct fault {
  std::string name;
  script server;
  ending expected;
  std::string options{};                     ///< added to the connection string
  std::chrono::milliseconds timeout{5'000};  ///< of the query
  fetch_mode mode{fetch_mode::plain};

  friend std::ostream& operator<<(std::ostream& out, const fault& f) { return out << f.name; }
};

/// The faults of `answers.cpp`: faulty answers within a valid session.
std::vector<fault> told_by_the_server();
std::vector<fault> harmless();
std::vector<fault> violations();
std::vector<fault> copies();
/// The faults of `bulk.cpp`: malformed answers to a COPY.
std::vector<fault> bulk();
/// The faults of `endings.cpp`: the server closes the connection, falls silent, or never stops sending.
std::vector<fault> leavers();
std::vector<fault> endless();
/// The faults of `logins.cpp`: no session is established.
std::vector<fault> refusals();
std::vector<fault> bad_logins();
std::vector<fault> bad_tls();

}  // namespace sluice::test
