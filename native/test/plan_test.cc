// The plan without Node: programs executed and compared with direct kernel calls, no allocation in a step, stopping,
// threads. `plan_test --bench` prints what a step and a hand-over to a thread cost.
#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../base/cores.h"
#include "../base/threads.h"
#include "../kernels/dispatch.h"
#include "allocations.h"
#include "parts.h"
#include "programs.h"

namespace anneal::test {

int check_refusals();
int check_exchanges();

namespace {

int failures = 0;

void expect(bool right, const char* what) {
  if (right) return;
  printf("FAILED: %s\n", what);
  ++failures;
}

// ---- A training step of a k-h-n net on m rows
// ------------------------------------------------------------------------

struct Net {
  int64_t m, k, h, n;
};

// Arena offsets, all even.
struct Places {
  int64_t w1, b1, w2, b2, momentum, a1, z, each, dz, da1, dw2, db2, dw1, db1, end;
};

Places places_of(const Net& net) {
  int64_t at = 0;
  auto next = [&at](int64_t size) {
    const int64_t place = at;
    at += (size + 15) / 16 * 16;
    return place;
  };
  const auto [m, k, h, n] = net;
  Places p{};
  p.w1 = next(h * k), p.b1 = next(h), p.w2 = next(n * h), p.b2 = next(n), p.momentum = next(h * k);
  p.a1 = next(m * h), p.z = next(m * n), p.each = next(m), p.dz = next(m * n), p.da1 = next(m * h);
  p.dw2 = next(n * h), p.db2 = next(n), p.dw1 = next(h * k), p.db1 = next(h);
  p.end = at;
  return p;
}

double number(int64_t value) { return static_cast<double>(value); }

// Labels come through `order` and the update's scalars through `scalars`, so that both move.
Code training_step(const Net& net, const Places& p) {
  const double m = number(net.m), k = number(net.k), h = number(net.h), n = number(net.n);
  auto in = [](int64_t offset) { return arena(number(offset)); };
  Code code({m, 7, 1, 1});
  code.call("linear_relu_fwd", {store(0, 0), in(p.w1), in(p.b1), in(p.a1)}, {m, k, h});
  code.call("linear_fwd", {in(p.a1), in(p.w2), in(p.b2), in(p.z)}, {m, h, n});
  code.call("softmax_xent_fwd_bwd", {in(p.z), order(0), none(), in(p.each), losses(0), in(p.dz)}, {m, n, 1, -100, 0});
  code.call("count_correct", {in(p.z), order(0), counts(0)}, {m, n});
  code.call("linear_weight_bwd", {in(p.dz), in(p.a1), in(p.dw2), in(p.db2)}, {m, h, n});
  code.call("linear_input_bwd", {in(p.dz), in(p.w2), in(p.a1), in(p.da1)}, {m, h, n});
  code.call("linear_weight_bwd", {in(p.da1), store(0, 0), in(p.dw1), in(p.db1)}, {m, k, h});
  code.call("sgd_update", {in(p.w1), in(p.dw1), in(p.momentum), scalars(0)}, {h * k});
  code.call("sgd_update", {in(p.b1), in(p.db1), none(), scalars(0)}, {h});
  code.call("sgd_update", {in(p.w2), in(p.dw2), none(), scalars(0)}, {n * h});
  return code.call("sgd_update", {in(p.b2), in(p.db2), none(), scalars(0)}, {n});
}

void direct(const char* kernel, std::initializer_list<void*> buffers, std::initializer_list<int64_t> dims,
            std::initializer_list<double> scalars = {}) {
  Call call{};
  int i = 0;
  for (void* buffer : buffers) call.buffer[i++] = buffer;
  i = 0;
  for (int64_t dim : dims) call.dim[i++] = dim;
  i = 0;
  for (double scalar : scalars) call.scalar[i++] = scalar;
  active_kernels()[kernel_id(kernel)](call);
}

// The same step by direct calls on memory `f` laid out as the arena.
void direct_step(const Net& net, const Places& p, float* f, float* x, int32_t* labels, double* row, float* loss,
                 int32_t* count) {
  const auto [m, k, h, n] = net;
  direct("linear_relu_fwd", {x, f + p.w1, f + p.b1, f + p.a1}, {m, k, h});
  direct("linear_fwd", {f + p.a1, f + p.w2, f + p.b2, f + p.z}, {m, h, n});
  direct("softmax_xent_fwd_bwd", {f + p.z, labels, nullptr, f + p.each, loss, f + p.dz}, {m, n}, {1, -100, 0});
  direct("count_correct", {f + p.z, labels, count}, {m, n});
  direct("linear_weight_bwd", {f + p.dz, f + p.a1, f + p.dw2, f + p.db2}, {m, h, n});
  direct("linear_input_bwd", {f + p.dz, f + p.w2, f + p.a1, f + p.da1}, {m, h, n});
  direct("linear_weight_bwd", {f + p.da1, x, f + p.dw1, f + p.db1}, {m, k, h});
  direct("sgd_update", {f + p.w1, f + p.dw1, f + p.momentum, row}, {h * k});
  direct("sgd_update", {f + p.b1, f + p.db1, nullptr, row}, {h});
  direct("sgd_update", {f + p.w2, f + p.dw2, nullptr, row}, {n * h});
  direct("sgd_update", {f + p.b2, f + p.db2, nullptr, row}, {n});
}

void fill_weights(Plan& plan) {
  float* words = reinterpret_cast<float*>(plan.space.arena->data());
  for (int64_t i = 0; i < plan.space.arena->bytes() / kWord; ++i)
    words[i] = 0.01f * static_cast<float>(i * 37 % 19 - 9);
}

constexpr Net kNet = {6, 5, 4, 3};
constexpr Net kShort = {4, 5, 4, 3};  // the last, shorter batch of an epoch

// A plan whose second program takes fewer rows; both share the weights, which lie before all that depends on m.
std::unique_ptr<Plan> training_plan() {
  auto plan = make_plan(places_of(kNet).end);
  for (const Net& net : {kNet, kShort}) {
    const Status status = add_program(*plan, training_step(net, places_of(net)).numbers);
    if (!status.ok()) printf("%s\n", status.refusal.c_str());
  }
  fill_weights(*plan);
  memset(plan->space.arena->data() + places_of(kNet).momentum * kWord, 0, static_cast<size_t>(kNet.h * kNet.k * kWord));
  return plan;
}

OwnInputs inputs_of(int64_t labels, int64_t steps) {
  OwnInputs inputs;
  for (int64_t i = 0; i < labels; ++i) inputs.order.push_back(static_cast<int32_t>(i * 5 % 7 % 3));
  for (int64_t s = 0; s < steps; ++s) {
    const double row[] = {0.1 / (1 + 0.01 * number(s)), 0.9, 0, 0.001, 0, 0, s == 0 ? 1.0 : 0.0};
    inputs.scalars.insert(inputs.scalars.end(), row, row + 7);
  }
  return inputs;
}

bool same(const Arena& a, const Arena& b, int64_t bytes) {
  return memcmp(a.data(), b.data(), static_cast<size_t>(bytes)) == 0;
}

// ---- Checks --------------------------------------------------------------------------------------------------------

// One program for the whole run, so that the arena has one layout.
void check_against_direct_calls() {
  constexpr int32_t kSteps = 50;
  auto plan = training_plan(), twin = training_plan();
  Run run;
  run.segments = std::vector<Segment>{{0, 20}, {0, 0}, {0, 30}};
  OwnInputs inputs = inputs_of(kNet.m * kSteps, kSteps);
  run.inputs = inputs.view();
  expect(prepare_run(*plan, run).ok(), "the run is accepted");
  expect(execute_run(*plan, run).ok(), "the run ends well");
  expect(run.steps == kSteps && run.done.of[2] == kSteps && run.done.of[3] == kSteps, "every step is done");

  float* f = reinterpret_cast<float*>(twin->space.arena->data());
  float* x = reinterpret_cast<float*>(twin->space.stores[0]->data);
  float first = 0, loss = 0;
  for (int32_t s = 0; s < kSteps; ++s) {
    int32_t count = 0, counted;
    direct_step(kNet, places_of(kNet), f, x, &inputs.order[static_cast<size_t>(s * kNet.m)],
                &inputs.scalars[static_cast<size_t>(s * 7)], &loss, &count);
    if (s == 0) first = loss;
    memcpy(&counted, run.counts->data() + 4 * s, 4);
    expect(memcmp(&loss, run.losses->data() + 4 * s, 4) == 0 && count == counted,
           "loss and count are those of the calls");
  }
  expect(loss < first, "the net learns");
  expect(same(*plan->space.arena, *twin->space.arena, plan->space.arena->bytes()), "the arena is that of the calls");
}

// Runs `segments` in one go or one step at a time.
std::unique_ptr<Plan> run_segments(const std::vector<Segment>& segments, bool by_steps) {
  auto plan = training_plan();
  const OwnInputs inputs = inputs_of(400, 40);
  const Inputs all = inputs.view();
  size_t labels = 0, scalars = 0;
  for (const Segment& segment : segments) {
    const int32_t runs = by_steps ? segment.steps : 1;
    for (int32_t i = 0; i < runs; ++i) {
      const int32_t steps = by_steps ? 1 : segment.steps;
      const size_t order = static_cast<size_t>(plan->programs[segment.program].per_step.of[0] * steps);
      Run run;
      run.segments = std::vector<Segment>{{segment.program, steps}};
      const size_t numbers = static_cast<size_t>(7 * steps);
      run.inputs = {{all.order.data + labels, order}, {all.scalars.data + scalars, numbers}, {}};
      labels += order;
      scalars += numbers;
      expect(prepare_run(*plan, run).ok(), "the part is accepted");
      execute_run(*plan, run);
    }
  }
  return plan;
}

// Places carry over from segment to segment although their programs go on by different amounts.
void check_segments() {
  const std::vector<Segment> segments = {{0, 3}, {1, 1}, {0, 3}, {1, 2}, {0, 1}};
  auto plan = training_plan();
  Run run;
  run.segments = segments;
  const OwnInputs inputs = inputs_of(400, 40);
  run.inputs = inputs.view();
  expect(prepare_run(*plan, run).ok(), "the segments are accepted");
  expect(execute_run(*plan, run).ok(), "the run ends well");
  expect(run.steps == 10 && run.done.of[0] == 7 * 6 + 3 * 4, "every segment is done");
  for (bool by_steps : {false, true}) {
    auto other = run_segments(segments, by_steps);
    expect(same(*plan->space.arena, *other->space.arena, plan->space.arena->bytes()),
           "segments step by step give equal bits");
  }
}

void check_no_allocation() {
  auto plan = training_plan();
  Run run;
  run.segments = std::vector<Segment>{{0, 400}, {1, 300}};
  const OwnInputs inputs = inputs_of(400 * 6 + 300 * 4, 700);
  run.inputs = inputs.view();
  expect(prepare_run(*plan, run).ok(), "the run is accepted");
  const int64_t before = allocation_count();
  expect(execute_run(*plan, run).ok(), "the run ends well");
  expect(allocation_count() == before, "no allocation while 700 steps run");
  expect(run.steps == 700 && before > 0, "the steps were done and allocations are counted");
}

void check_stop() {
  auto plan = training_plan();
  Run run;
  run.segments = std::vector<Segment>{{0, 2000000000}};
  plan->programs[0].per_step = Amounts{};  // the same inputs for every step: a run too long for its own
  for (MovingPointer& moving : plan->programs[0].moving) moving.advance = 0;
  const OwnInputs inputs = inputs_of(kNet.m, 1);
  run.inputs = inputs.view();
  expect(prepare_run(*plan, run).ok(), "the long run is accepted");
  run.losses = std::make_unique<Arena>(64), run.counts = std::make_unique<Arena>(64);
  std::thread stopper([&plan] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    plan->stop = true;
  });
  expect(execute_run(*plan, run).ok(), "the run ends well");
  stopper.join();
  expect(run.steps > 0 && run.steps < 2000000000, "a run ends when it is told to");
}

// ---- Threads -------------------------------------------------------------------------------------------------------

struct Tally {
  int64_t of[64] = {};
};

void count_part(void* context, int part, int parts) {
  if (part < parts) ++static_cast<Tally*>(context)->of[part];
}

void use_team(int wanted, int64_t times) {
  Team team(wanted);
  expect(team.size() >= 1 && team.size() <= wanted && team.size() <= std::max(1, core_count()),
         "a team is within bounds");
  Tally tally;
  for (int64_t i = 0; i < times; ++i) team.parallel(count_part, &tally);
  for (int part = 0; part < team.size(); ++part) expect(tally.of[part] == times, "each part is done once each time");
}

void check_teams() {
  use_team(1, 10);
  use_team(64, 20000);
  std::vector<std::thread> runs;
  for (int i = 0; i < 4; ++i)
    runs.emplace_back([i] {
      for (int r = 0; r < 50; ++r) use_team(1 + i, 50);
    });
  for (std::thread& run : runs) run.join();
  {
    Team first(64), second(64);
    expect(first.size() == core_count() && second.size() == 1, "a second team takes what is free");
  }
  {
    Team team(2);
    Tally tally;
    team.parallel(count_part, &tally);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));  // the worker falls asleep
    team.parallel(count_part, &tally);
    expect(tally.of[team.size() - 1] == 2, "a sleeping thread wakes");
  }
  join_threads();
  use_team(64, 100);
  join_threads();
}

// Buffers one after the other; scalars of an update 0.01.
std::unique_ptr<Plan> single_call_plan(const KernelInfo& info, const std::vector<int64_t>& dims,
                                       std::vector<double>& code) {
  int64_t at = 0;
  code.assign(Code::kHeader, 0);
  code.push_back(number(info.id));
  for (int b = 0; b < info.buffer_count; ++b) {
    code.insert(code.end(), {1, number(at)});
    at += (extent(info.buffers[b], dims.data()) * element_size(info.buffers[b].dtype) / kWord + 15) / 16 * 16;
  }
  for (int64_t dim : dims) code.push_back(number(dim));
  for (int s = 0; s < info.scalar_count; ++s) code.push_back(0);
  auto plan = make_plan(at);
  fill_weights(*plan);
  for (int b = 0; b < info.buffer_count; ++b) {
    if (info.buffers[b].dtype != Dtype::f64) continue;
    double* values = reinterpret_cast<double*>(
        plan->space.arena->data() + static_cast<int64_t>(code[Code::kHeader + 2 + 2 * static_cast<size_t>(b)]) * kWord);
    for (int64_t i = 0; i < extent(info.buffers[b], dims.data()); ++i) values[i] = 0.01;
  }
  return plan;
}

// Every kernel that splits gives the bits of one thread in any number of parts.
void check_split(const KernelInfo& info, const std::vector<int64_t>& dims) {
  std::vector<double> code;
  auto whole = single_call_plan(info, dims, code);
  expect(add_program(*whole, code).ok() && whole->programs[0].splits(), "a large call splits");
  Run run;
  run.segments = std::vector<Segment>{{0, 1}};
  expect(prepare_run(*whole, run).ok(), "the run is accepted");
  execute_run(*whole, run);
  for (int parts : {2, 3, 8}) {
    auto other = single_call_plan(info, dims, code);
    expect(add_program(*other, code).ok(), "the program is accepted");
    run_in_parts(active_kernels()[info.id], info, other->programs[0].instructions[0].call, parts);
    expect(same(*whole->space.arena, *other->space.arena, whole->space.arena->bytes()), info.name);
  }
  auto threaded = single_call_plan(info, dims, code);
  expect(add_program(*threaded, code).ok(), "the program is accepted");
  run.threads = 64;
  execute_run(*threaded, run);
  expect(same(*whole->space.arena, *threaded->space.arena, whole->space.arena->bytes()), info.name);
}

// Just above what is worth splitting.
std::vector<std::vector<int64_t>> large_sizes(const KernelInfo& info) {
  if (info.dim_count == 1) return {{32768}, {50001}};
  if (info.dim_count == 2) return {{1024, 32}, {77, 431}, {4099, 8}};
  if (info.dim_count == 4) return {{64, 20, 30, 40}, {77, 13, 33, 19}, {5, 100, 90, 81}};
  for (const BufferSpec& buffer : info.buffers) {  // rows that are looked up
    if (buffer.dtype == Dtype::i32 && buffer.role == Role::in) return {{64, 96, 400}, {77, 33, 1001}, {1000, 40, 33}};
  }
  return {{128, 96, 160}, {77, 131, 83}, {64, 300, 33}};
}

void check_splits() {
  for (int id = 0; id < kernel_count(); ++id) {
    const KernelInfo& info = kernel_info(id);
    if (!info.splits) continue;
    for (const std::vector<int64_t>& sizes : large_sizes(info)) check_split(info, sizes);
  }
}

// ---- Batches prefetched ---------------------------------------------------------------------------------------------

constexpr Net kWide = {20, 2004, 40, 0};  // the last panel of inputs is not whole, 16 do not divide the rows
constexpr int64_t kSetRows = 150;

// A gather, a forward product of the batch, a weight gradient that updates and, if asked for, somebody who reads the
// batch after it; the rows' numbers move.
std::unique_ptr<Plan> prefetching_plan(double gather, double reader, bool again, Status& status) {
  const auto [m, k, n, none_] = kWide;
  (void)none_;
  auto plan = make_plan(0);
  const int64_t kp = (k + 15) / 16 * 16, np = 48, x = 0, w = x + m * kp, b = w + np * k, y = b + np, z = y + m * np;
  plan->space.arena = std::make_shared<Arena>((z + m * np) * kWord);
  plan->space.stores[0] = std::make_shared<Store>(Dtype::f32, kSetRows * k);
  float* data = reinterpret_cast<float*>(plan->space.stores[0]->data);
  for (int64_t i = 0; i < kSetRows * k; ++i) data[i] = 0.01f * static_cast<float>(i * 7 % 31 - 15);
  auto in = [](int64_t offset) { return arena(number(offset)); };
  Code code({number(m), 7});
  code.call("gather_panels", {store(0, 0), order(0), in(x)}, {number(kSetRows), number(k), number(m)});
  code.call("linear_panel_fwd", {in(x), in(w), in(b), in(y)}, {number(m), number(k), number(n), 0});
  code.call("linear_panel_weight_bwd_sgd_update", {in(y), in(x), in(w), none(), in(b), none(), scalars(0), scalars(0)},
            {number(m), number(k), number(n)});
  if (again) code.call("linear_panel_fwd", {in(x), in(w), in(b), in(z)}, {number(m), number(k), number(n), 0});
  status = add_program(*plan, code.prefetch(gather, reader).numbers);
  fill_weights(*plan);
  return plan;
}

// Eight steps in segments of `length`.
void run_prefetching(Plan& plan, int32_t length, int threads) {
  Run run;
  for (int32_t s = 0; s < 8; s += length) run.segments.push_back({0, length});
  OwnInputs inputs;
  for (int64_t i = 0; i < 8 * kWide.m; ++i) inputs.order.push_back(static_cast<int32_t>(i * 67 % kSetRows));
  for (int s = 0; s < 8; ++s) inputs.scalars.insert(inputs.scalars.end(), {0.001, 0, 0, 0, 0, 0, 1});
  run.inputs = inputs.view();
  run.threads = threads;
  expect(prepare_run(plan, run).ok(), "the prefetching run is accepted");
  expect(execute_run(plan, run).ok(), "the run ends well");
}

void check_prefetch_refusals() {
  const struct {
    double gather, reader;
    bool again;
    const char* refusal;
  } refused[] = {
      {1, 3, true, "nobody but readers until call 3 to touch the batch to be replaced but received call 4"},
      {1, 2, false, "a gather_panels from a store and a kernel that can replace its batch"},
      {2, 3, false, "a gather_panels from a store and a kernel that can replace its batch"},
      {3, 1, false, "a gather and a later reader among 3 calls but received 3 and 1"},
      {1, 4, false, "a gather and a later reader among 3 calls but received 1 and 4"},
      {0, 3, false, "a gather and a later reader among 3 calls but received 0 and 3"},
  };
  for (const auto& [gather, reader, again, refusal] : refused) {
    Status status;
    prefetching_plan(gather, reader, again, status);
    expect(!status.ok() && status.refusal.find(refusal) != std::string::npos, refusal);
  }
}

// The batch that the update before has put in place is the one that a gather would have brought.
void check_prefetch() {
  check_prefetch_refusals();
  Status status;
  auto plan = prefetching_plan(0, 0, false, status);
  expect(status.ok(), status.refusal.c_str());
  if (!status.ok()) return;
  run_prefetching(*plan, 8, 1);
  for (int32_t length : {2, 8}) {
    for (int threads : {1, 2, 3}) {
      auto other = prefetching_plan(1, 3, false, status);
      expect(status.ok() && other->programs[0].prefetch.reader == 2, "the prefetching program is accepted");
      run_prefetching(*other, length, threads);
      expect(same(*plan->space.arena, *other->space.arena, plan->space.arena->bytes()),
             "batches prefetched give equal bits");
    }
  }
}

// ---- Any number of rows ---------------------------------------------------------------------------------------------

// A program that was proved for 8 rows gives, of fewer, what its kernels give of them.
void check_rows() {
  constexpr int64_t kMost = 8, kIn = 20, kOut = 5;
  constexpr int64_t kX = 0, kW = 160, kY = 272, kZ = 320, kEnd = 368;
  auto plan = make_plan(kEnd);
  fill_weights(*plan);
  Code code({});
  code.rows(kMost)
      .call("linear_fwd", {arena(kX), arena(kW), none(), arena(kY)}, {-1, kIn, kOut})
      .call("relu_fwd", {arena(kY), arena(kZ)}, {-kOut});
  const Status status = add_program(*plan, code.numbers);
  expect(status.ok() && plan->programs[0].row_dims.size() == 2, "a program for several numbers of rows is accepted");
  if (!status.ok()) return;
  float* words = reinterpret_cast<float*>(plan->space.arena->data());
  for (const int64_t rows : {int64_t{3}, kMost, int64_t{1}}) {
    std::vector<float> want(kMost * kOut, -1), sums(kMost * kOut);
    Call linear{{words + kX, words + kW, nullptr, sums.data()}, {rows, kIn, kOut}, {}};
    active_kernels()[kernel_id("linear_fwd")](linear);
    Call relu{{sums.data(), want.data()}, {rows * kOut}, {}};
    active_kernels()[kernel_id("relu_fwd")](relu);
    std::fill(words + kZ, words + kEnd, -1.0f);
    set_rows(plan->programs[0], rows);
    expect(run_step(plan->programs[0], 1).ok(), "the step is run");
    expect(std::equal(want.begin(), want.end(), words + kZ), "so many rows are computed, and no other");
  }
}

// ---- Times ---------------------------------------------------------------------------------------------------------

template <class Body>
double nanoseconds(int64_t times, Body body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
  return spent.count() / number(times);
}

void nothing(const Call&) {}
void nothing_part(void*, int, int) {}

double best_time(Plan& plan, int threads) {
  double best = 1e300;
  for (int repeat = 0; repeat < 20; ++repeat) {
    Run run;
    run.segments = std::vector<Segment>{{0, 50}};
    run.threads = threads;
    if (!prepare_run(plan, run).ok()) return best;
    best = std::min(best, nanoseconds(50, [&] { execute_run(plan, run); }));
  }
  return best;
}

// What two threads gain on products of growing size: where worth_splitting (plan/program.cc) begins.
void bench_split() {
  const KernelInfo& info = kernel_info(kernel_id("linear_panel_fwd"));
  for (int64_t size = 32; size <= 512; size *= 2) {
    const std::vector<int64_t> dims = {64, size, size};
    std::vector<double> code;
    auto plan = single_call_plan(info, dims, code);
    if (!add_program(*plan, code).ok()) return;
    plan->programs[0].instructions[0].splits = true;
    const double one = best_time(*plan, 1), two = best_time(*plan, 2);
    printf("linear_panel_fwd 64 x %d x %d: %.0f ns, two threads %.0f ns\n", static_cast<int>(size),
           static_cast<int>(size), one, two);
  }
}

void bench() {
  constexpr int32_t kSteps = 200000;
  auto plan = training_plan();
  for (bool empty : {true, false}) {
    Run run;
    run.segments = std::vector<Segment>{{0, kSteps}};
    const OwnInputs inputs = inputs_of(kNet.m * kSteps, kSteps);
    run.inputs = inputs.view();
    std::vector<Instruction>& calls = plan->programs[0].instructions;
    if (empty)
      for (Instruction& call : calls) call.run = nothing;
    else plan = training_plan();
    if (!prepare_run(*plan, run).ok()) return;
    const double time = nanoseconds(kSteps, [&] { execute_run(*plan, run); });
    printf("%s step of 11 calls: %.0f ns\n", empty ? "empty" : "6-5-4-3", time);
  }
  bench_split();
  Team team(2);
  constexpr int64_t kTimes = 200000;
  const double time = nanoseconds(kTimes, [&] {
    for (int64_t i = 0; i < kTimes; ++i) team.parallel(nothing_part, nullptr);
  });
  printf("empty parts for %d threads: %.0f ns\n", team.size(), time);
}

}  // namespace
}  // namespace anneal::test

int main(int argc, char** argv) {
  using namespace anneal::test;
  if (argc > 1 && std::string(argv[1]) == "--bench") {
    bench();
    return 0;
  }
  check_against_direct_calls();
  check_segments();
  check_no_allocation();
  check_stop();
  check_teams();
  check_splits();
  check_prefetch();
  check_rows();
  failures += check_refusals();
  failures += check_exchanges();
  printf("plan_test: %d failed\n", failures);
  return failures ? 1 : 0;
}
