// The outcome of a check below the binding: fine, or the words in which it is refused. The binding throws it, once.
#pragma once

#include <string>

namespace anneal {

struct Status {
  std::string refusal;
  const char* code = "ERR_ARG_VALUE";  // the error's

  bool ok() const { return refusal.empty(); }
};

// The one phrase of every refusal.
inline Status refused(const std::string& where, const std::string& expected, const std::string& received) {
  return {where + ": expected " + expected + " but received " + received};
}

}  // namespace anneal
