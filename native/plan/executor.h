// Runs the programs of a plan, step after step: no allocation, lock or clock in a step. Not here: JavaScript
// (binding/plan.cc), the proof that calls stay in bounds (program.h).
#pragma once

#include <stdint.h>

#include <atomic>
#include <memory>
#include <vector>

#include "program.h"

namespace anneal {

struct Plan {
  Space space;
  std::vector<Program> programs;
  std::atomic<bool> stop{false};  // polled before every step
  std::atomic<bool> busy{false};  // a run is under way
};

// `steps` steps of one program.
struct Segment {
  int32_t program, steps;
};

// What one run reads and writes. The inputs are copies: nobody can change them once they have been checked.
struct Run {
  std::vector<Segment> segments;
  std::vector<int32_t> order;
  std::vector<double> rows;
  std::vector<float> draws;
  int threads = 1;
  std::unique_ptr<Arena> losses, counts;  // float32, int32

  int64_t steps = 0;  // done
  Amounts done;       // elements of each moving region that those steps went through
};

// Proves that the run's inputs suffice for all its steps and makes room for its results.
Status prepare_run(const Plan& plan, Run& run);

// Executes a prepared run until its end or plan.stop.
void execute_run(Plan& plan, Run& run);

}  // namespace anneal
