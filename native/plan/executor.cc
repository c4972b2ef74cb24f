// See executor.h.
#include "executor.h"

#include <string>
#include <utility>

#include "../base/sizes.h"
#include "../base/threads.h"

namespace anneal {
namespace {

constexpr int64_t kElementSize[kMovingRegions] = {sizeof(int32_t), sizeof(double), sizeof(float), sizeof(int32_t),
                                                  sizeof(float)};

Status refuse(const std::string& expected, const std::string& received) { return refused("run", expected, received); }

std::string segment_text(size_t i) { return "segment " + std::to_string(i); }

// The elements of every moving region that all the steps go through; at most 2^53 of each.
Status total(const Plan& plan, const Run& run, Amounts& sum) {
  for (size_t i = 0; i < run.segments.size(); ++i) {
    const Segment& segment = run.segments[i];
    if (segment.program < 0 || segment.program >= static_cast<int64_t>(plan.programs.size())) {
      return refuse(segment_text(i) + " to name one of " + std::to_string(plan.programs.size()) + " programs",
                    std::to_string(segment.program));
    }
    if (segment.steps < 0) return refuse(segment_text(i) + " to have 0 or more steps", std::to_string(segment.steps));
    for (int r = 0; r < kMovingRegions; ++r) {
      const int64_t amount = checked_mul(plan.programs[segment.program].per_step.of[r], segment.steps);
      sum.of[r] = checked_add(sum.of[r], amount);
      if (sum.of[r] < 0) return refuse("at most 2^53 elements in all", "more, in " + segment_text(i));
    }
  }
  return {};
}

Status check_lengths(const Run& run, const Amounts& sum) {
  const struct {
    Region region;
    size_t length;
  } inputs[] = {{kOrder, run.inputs.order.size}, {kScalars, run.inputs.scalars.size}, {kDraws, run.inputs.draws.size}};
  for (const auto& input : inputs) {
    const int64_t least = sum.of[input.region - kFirstMoving];
    if (static_cast<int64_t>(input.length) >= least) continue;
    const std::string name = kMovingNames[input.region - kFirstMoving];
    return refuse(name + " to have at least " + std::to_string(least) + " elements", std::to_string(input.length));
  }
  return {};
}

Status refuse_row(const Run& run, int64_t i, int64_t limit) {
  return refuse("order[" + std::to_string(i) + "] to be one of " + std::to_string(limit) + " rows",
                std::to_string(run.inputs.order.data[i]));
}

Status check_order(const Plan& plan, const Run& run) {
  int64_t begin = 0;
  for (const Segment& segment : run.segments) {
    const Program& program = plan.programs[segment.program];
    const int64_t count = program.per_step.of[0] * segment.steps;
    if (program.takes_rows) {
      const int64_t bad = begin + first_outside(run.inputs.order.data + begin, count, program.order_limit);
      if (bad < begin + count) return refuse_row(run, bad, program.order_limit);
    }
    begin += count;
  }
  return {};
}

// Where a table begins; a call has one type for what it reads and what it writes, and programs only read tables
// (program.cc).
template <typename T>
char* start_of(const View<T>& table) {
  return const_cast<char*>(reinterpret_cast<const char*>(table.data));
}

// Where the current step's part of each moving region begins.
struct Places {
  char* at[kMovingRegions];

  explicit Places(const Run& run)
      : at{start_of(run.inputs.order), start_of(run.inputs.scalars), run.losses->data(), run.counts->data(),
           start_of(run.inputs.draws)} {}
};

void point(Program& program, const Places& places) {
  for (MovingPointer& moving : program.moving) {
    *moving.pointer = places.at[moving.region - kFirstMoving] + moving.offset;
  }
}

void move_on(Program& program) {
  for (MovingPointer& moving : program.moving) *moving.pointer = static_cast<char*>(*moving.pointer) + moving.advance;
}

void run_part(void* context, int part, int parts) {
  const Instruction& instruction = *static_cast<const Instruction*>(context);
  Call call = instruction.call;
  call.part = part;
  call.parts = parts;
  instruction.run(call);
}

// Shares on all threads, with what the kernel's sums need before and after them.
void run_split(Instruction& instruction, Team& team) {
  if (instruction.sums) run_part(&instruction, -1, team.size());
  team.parallel(run_part, &instruction);
  if (instruction.sums) run_part(&instruction, team.size(), team.size());
}

// Starts or finishes the instruction's exchange.
Status communicate(const Instruction& instruction, Transport& transport) {
  if (instruction.arrives) return instruction.exchange->finish(transport);
  instruction.exchange->start(transport);
  return {};
}

// `transport`: null where the program has no exchanges. `fetched`: the gather whose work the step before has done, or
// null.
Status execute_step(Program& program, Transport* transport, Team& team, const Instruction* fetched) {
  int under_way = 0;
  for (Instruction& instruction : program.instructions) {
    if (&instruction == fetched) continue;
    if (instruction.exchange) {
      Status status = communicate(instruction, *transport);
      if (!status.ok()) return status;
      under_way += instruction.arrives ? -1 : 1;
    } else if (instruction.splits && team.size() > 1) {
      run_split(instruction, team);
    } else {
      instruction.run(instruction.call);
    }
    if (under_way > 0) transport->progress();
  }
  return {};
}

// Whether steps fetch the next batch: with several threads, if each has panels enough.
bool prefetches(const Program& program, const Team& team) {
  constexpr int64_t kLeastPanels = 8;
  return program.prefetch.reader >= 0 &&
         program.instructions[program.prefetch.reader].call.dim[1] >= kLeastPanels * kPanelWidth * team.size();
}

// Has the batch replaced by the next step's, if there is one.
void point_to_next(Program& program, bool more) {
  Prefetch& prefetch = program.prefetch;
  const Call& gather = program.instructions[prefetch.gather].call;
  prefetch.next.data = static_cast<const float*>(gather.buffer[0]);
  prefetch.next.rows = static_cast<const int32_t*>(gather.buffer[1]) + program.per_step.of[0];
  program.instructions[prefetch.reader].call.next = more ? &prefetch.next : nullptr;
}

// Counts the steps of a segment that were done.
Status execute_segment(Plan& plan, const Segment& segment, Team& team, int32_t& done) {
  Program& program = plan.programs[segment.program];
  Transport* const transport = plan.space.transport.get();
  const bool prefetch = prefetches(program, team);
  for (done = 0; done < segment.steps; ++done) {
    if (!transport && plan.stop.load(std::memory_order_relaxed)) return {};
    if (program.prefetch.reader >= 0) point_to_next(program, prefetch && done + 1 < segment.steps);
    const Instruction* fetched = prefetch && done > 0 ? &program.instructions[program.prefetch.gather] : nullptr;
    Status status = execute_step(program, transport, team, fetched);
    if (!status.ok()) return status;
    move_on(program);
  }
  return {};
}

bool splits(const Plan& plan, const Run& run) {
  for (const Segment& segment : run.segments) {
    if (plan.programs[segment.program].splits()) return true;
  }
  return false;
}

}  // namespace

Status prepare_run(const Plan& plan, Run& run) {
  Amounts sum;
  Status status = total(plan, run, sum);
  if (status.ok()) status = check_lengths(run, sum);
  if (status.ok()) status = check_order(plan, run);
  if (!status.ok()) return status;
  run.losses = std::make_unique<Arena>(sum.of[2] * static_cast<int64_t>(sizeof(float)));
  run.counts = std::make_unique<Arena>(sum.of[3] * static_cast<int64_t>(sizeof(int32_t)));
  return {};
}

std::vector<Extent> written_by(const Plan& plan, const Run& run) {
  std::vector<Extent> all;
  for (const Segment& segment : run.segments) all.push_back(plan.programs[segment.program].written);
  return all;
}

Status replace_store(Plan& plan, int64_t number, std::shared_ptr<Store> store) {
  std::shared_ptr<Store>& present = plan.space.stores[static_cast<size_t>(number)];
  if (store->dtype != present->dtype || store->length != present->length) {
    return refused("bind", "a store of " + std::to_string(present->length) + " elements of the same type",
                   "another of " + std::to_string(store->length));
  }
  present = std::move(store);
  for (Program& program : plan.programs) point_to_store(program, number, present->data);
  return {};
}

Status run_step(Program& program, int threads) {
  for (const int64_t amount : program.per_step.of) {
    if (amount != 0) return refuse("a program without tables", "one that goes through " + std::to_string(amount));
  }
  if (!program.exchanges.empty()) return refuse("a program without exchanges", "one that has them");
  Team team(program.splits() ? threads : 1);
  return execute_step(program, nullptr, team, nullptr);
}

Status execute_run(Plan& plan, Run& run) {
  Places places(run);
  Team team(splits(plan, run) ? run.threads : 1);
  for (const Segment& segment : run.segments) {
    Program& program = plan.programs[segment.program];
    point(program, places);
    int32_t steps;
    Status status = execute_segment(plan, segment, team, steps);
    for (int r = 0; r < kMovingRegions; ++r) {
      const int64_t elements = program.per_step.of[r] * steps;
      run.done.of[r] += elements;
      places.at[r] += elements * kElementSize[r];
    }
    run.steps += steps;
    if (steps < segment.steps) return status;
  }
  return {};
}

}  // namespace anneal
