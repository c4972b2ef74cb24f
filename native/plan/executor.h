// Runs the programs of a plan, step after step: no allocation, lock or clock in a step. Not here: JavaScript
// (binding/plan.cc), the proof that calls stay in bounds (program.h).
#pragma once

#include <stdint.h>

#include <atomic>
#include <memory>
#include <vector>

#include "program.h"

namespace anneal {

// The tables that a run reads. Whoever owns them keeps them as they are from the check to the end of the run.
template <typename T>
struct View {
  const T* data = nullptr;
  size_t size = 0;
};

struct Inputs {
  View<int32_t> order;
  View<double> scalars;
  View<float> draws;
};

// Copies of such tables, in memory that is used again.
struct OwnInputs {
  std::vector<int32_t> order;
  std::vector<double> scalars;
  std::vector<float> draws;

  void copy(const Inputs& from) {
    order.assign(from.order.data, from.order.data + from.order.size);
    scalars.assign(from.scalars.data, from.scalars.data + from.scalars.size);
    draws.assign(from.draws.data, from.draws.data + from.draws.size);
  }
  Inputs view() const {
    return {{order.data(), order.size()}, {scalars.data(), scalars.size()}, {draws.data(), draws.size()}};
  }
};

struct Plan {
  Space space;
  std::vector<Program> programs;
  OwnInputs copies;               // of a run whose caller cannot keep its tables as they are
  std::atomic<bool> stop{false};  // polled before every step, but by ranks: they would part ways
  std::atomic<bool> busy{false};  // a run is under way
  std::vector<Extent> written;    // by the programs of that run
};

// `steps` steps of one program.
struct Segment {
  int32_t program, steps;
};

// What one run reads and writes.
struct Run {
  std::vector<Segment> segments;
  Inputs inputs;
  int threads = 1;
  std::unique_ptr<Arena> losses, counts;  // float32, int32

  int64_t steps = 0;  // done
  Amounts done;       // elements of each moving region that those steps went through
};

// Has a plan that is idle read another store, of the same form, in place of number `number`, which exists.
Status replace_store(Plan& plan, int64_t number, std::shared_ptr<Store> store);

// Where a prepared run may write in the arena.
std::vector<Extent> written_by(const Plan& plan, const Run& run);

// Proves that the run's inputs suffice for all its steps and makes room for its results.
Status prepare_run(const Plan& plan, Run& run);

// Executes one step of a program that reads and writes nothing but the arena, here alone, or refuses another.
Status run_step(Program& program, int threads);

// Executes a prepared run until its end, plan.stop or an exchange that fails.
Status execute_run(Plan& plan, Run& run);

}  // namespace anneal
