#pragma once
/// @file
/// Asio's errors: the standard library's, or Boost's if the library was built with Boost.Asio (`-Dasio=boost`).

#ifdef SLUICE_BOOST_ASIO
#include <boost/system/system_error.hpp>
#else
#include <system_error>
#endif

namespace sluice::wire {

#ifdef SLUICE_BOOST_ASIO
using asio_code = boost::system::error_code;
using asio_failure = boost::system::system_error;
#else
using asio_code = std::error_code;       ///< what its calls report
using asio_failure = std::system_error;  ///< what they throw
#endif

}  // namespace sluice::wire
