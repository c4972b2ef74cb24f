// Reads the numbers of a program one after the other, and says where in it a fault is. Every number is read once, so
// that nothing can change between the check and the use. Not here: what the numbers mean (program.h).
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmath>
#include <string>

#include "../base/status.h"

namespace anneal {

inline std::string text(int64_t value) { return std::to_string(value); }
inline std::string text(size_t value) { return std::to_string(value); }
inline std::string text(double value) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%.17g", value);
  return buffer;
}

class CodeReader {
 public:
  CodeReader(const double* code, size_t length, int program) : code_(code), length_(length), program_(program) {}

  bool at_end() const { return at_ >= length_; }
  bool next_is_negative() const { return !at_end() && code_[at_] < 0; }

  // What follows belongs to this call, -1: to the program as a whole.
  void enter(int64_t call) { call_ = call, name_ = nullptr; }
  // What that call is named.
  void name(const char* name) { name_ = name; }

  Status number(const std::string& what, double& value) {
    if (at_end()) return refused(where(), what, "the end of the program");
    value = code_[at_++];
    return {};
  }

  // An integer in [low, high]; `sign` -1: written with a minus.
  Status integer(const std::string& what, int64_t low, int64_t high, int64_t& value, int sign = 1) {
    double found = 0;
    Status status = number(what, found);
    if (!status.ok()) return status;
    found *= sign;
    if (!(found >= static_cast<double>(low) && found <= static_cast<double>(high)) || found != std::floor(found)) {
      return refused(where(), what + " to be an integer from " + text(low) + " to " + text(high), text(found));
    }
    value = static_cast<int64_t>(found);
    return {};
  }

  Status refuse(const std::string& expected, const std::string& received) const {
    return refused(where(), expected, received);
  }

 private:
  std::string where() const {
    std::string place = "Plan: program " + std::to_string(program_);
    if (call_ >= 0) place += ", call " + std::to_string(call_);
    return name_ ? place + " (" + name_ + ")" : place;
  }

  const double* code_;
  size_t length_, at_ = 0;
  int program_;
  int64_t call_ = -1;
  const char* name_ = nullptr;
};

}  // namespace anneal
