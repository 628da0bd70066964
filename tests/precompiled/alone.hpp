// Headers that every test includes, precompiled. Sockets are not among them: their names are like those of messages.
// Force-included by the compiler, as beside_a_server.hpp is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>
