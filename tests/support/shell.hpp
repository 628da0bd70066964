#pragma once
// Runs programs as users do: a shell command line, its two outputs, its exit status.
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "temporary_folder.hpp"

namespace sluice::test {

struct finished {
  int status;
  std::string out;
  std::string err;
};

/// Runs a line of bash.
inline finished shell(const std::string& line) {
  const temporary_folder folder;
  const std::string script = "(" + line + ") >" + folder.path("out") + " 2>" + folder.path("err");
  std::string word = "'";
  for (const char c : script) word += c == '\'' ? std::string{"'\\''"} : std::string{c};
  const int status = std::system(("bash -c " + word + "'").c_str());
  const auto read = [&](const char* name) {
    std::ostringstream text;
    text << std::ifstream{folder.path(name)}.rdbuf();
    return text.str();
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("out"), read("err")};
}

}  // namespace sluice::test
