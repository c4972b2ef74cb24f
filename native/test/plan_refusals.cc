// Programs and runs that must be refused, each beside one that is accepted and differs in one number. Not here: what
// accepted programs do (plan_test.cc).
#include <stdio.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "programs.h"

namespace anneal::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kWords = 100;

struct Refusal {
  const char* words;  // that the message must contain
  Code code;
};

Code add_of(At a, At b, At y, double n) { return Code({4, 8, 1, 1}).call("add", {a, b, y}, {n}); }

Code raw(std::vector<double> numbers) {
  Code code({0, 0, 0, 0});
  code.numbers = std::move(numbers);
  return code;
}

Code linear_of(double m, double k, double n) {
  return Code({4, 8, 1, 1}).call("linear_fwd", {arena(0), arena(20), none(), arena(60)}, {m, k, n});
}

Code sgd_of(At p, At momentum, At row, double n) {
  return Code({4, 8, 1, 1}).call("sgd_update", {p, arena(20), momentum, row}, {n});
}

Code dropout_of(At mask, At y, double n) { return Code({4, 8, 1, 1, 12}).call("dropout", {arena(0), mask, y}, {n, 2}); }

Code gather_of(At data, At order, double rows) {
  return Code({4, 8, 1, 1}).call("gather_rows", {data, order, arena(0)}, {rows, 8, 4});
}

Code widened_of(At data, double rows) {
  return Code({4, 8, 1, 1}).call("gather_rows_bytes", {data, order(0), arena(0)}, {rows, 8, 4, 1});
}

// One of each kind of place, up to the last element that is there.
std::vector<Code> accepted() {
  const double id = kernel_id("add");
  return {
      raw({0, 0, 0, 0, 0, 0, 0, 0}),
      raw({4, 8, 1, 1, 0, 0, 0, 0, id, 1, 0, 1, 10, 1, 20, 10}),
      add_of(arena(0), arena(10), arena(90), 10),
      add_of(arena(0), arena(10), arena(0), 10),
      add_of(arena(0), arena(0), arena(0), 100),
      add_of(arena(0), store(0, 54), arena(90), 10),
      add_of(arena(100), arena(100), arena(100), 0),
      add_of(arena(0), arena(1), losses(0), 1),
      linear_of(4, 5, 8),
      linear_of(4, 0, 10),
      sgd_of(arena(0), none(), scalars(1), 10),
      sgd_of(arena(0), arena(30), scalars(0), 10),
      sgd_of(arena(0), none(), arena(86), 10),
      gather_of(store(0, 0), order(0), 8),
      widened_of(store(2, 0), 8),
      dropout_of(draws(2), arena(20), 10),
      Code({4, 0, 0, 1}).call("count_correct", {arena(0), order(0), counts(0)}, {4, 3}),
      Code({4, 0, 0, 1}).call("count_correct", {arena(0), store(1, 60), arena(99)}, {4, 3}),
  };
}

std::vector<Refusal> malformed_headers() {
  return {
      {"program 0: expected order per step", raw({})},
      {"program 0: expected draws per step but received the end", raw({0, 0, 0, 0})},
      {"scalars per step to be an integer", raw({0, -1, 0, 0, 0})},
      {"losses per step to be an integer", raw({0, 0, 0.5, 0, 0})},
      {"counts per step to be an integer", raw({0, 0, 0, kNan, 0})},
      {"order per step to be an integer", raw({4294967301.0, 0, 0, 0, 0})},
      {"draws per step to be an integer", raw({0, 0, 0, 0, -1})},
      {"order per step to be an integer", raw({kInfinity, 0, 0, 0, 0})},
      {"the number of the gather but received the end", raw({0, 0, 0, 0, 0})},
      {"the number of the reader but received the end", raw({0, 0, 0, 0, 0, 0})},
      {"the number of the gather to be an integer", raw({0, 0, 0, 0, 0, -1, 0})},
      {"the number of the reader to be an integer", raw({0, 0, 0, 0, 0, 0, 0.5})},
      {"the number of rows but received the end", raw({0, 0, 0, 0, 0, 0, 0})},
      {"the number of rows to be an integer", raw({0, 0, 0, 0, 0, 0, 0, -3})},
      {"a gather and a later reader among 0 calls but received 1 and 2", raw({0, 0, 0, 0, 0, 1, 2, 0})},
      {"a gather and a later reader among 0 calls but received 0 and 1", raw({0, 0, 0, 0, 0, 0, 1, 0})},
  };
}

std::vector<Refusal> malformed_numbers() {
  const double id = kernel_id("add"), end = kernel_count() + 2;
  return {
      {"call 0: expected a kernel id", raw({0, 0, 0, 0, 0, 0, 0, 0, end})},
      {"a kernel id", raw({0, 0, 0, 0, 0, 0, 0, 0, -1})},
      {"a kernel id", raw({0, 0, 0, 0, 0, 0, 0, 0, kNan})},
      {"a kernel id", raw({0, 0, 0, 0, 0, 0, 0, 0, 0.5})},
      {"call 0 (add): expected buffer a's region but received the end", raw({0, 0, 0, 0, 0, 0, 0, 0, id})},
      {"buffer a's offset but received the end", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1})},
      {"dim n but received the end", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1, 0, 1, 10, 1, 20})},
      {"call 1: expected a kernel id", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1, 0, 1, 10, 1, 20, 10, -3})},
      {"buffer a's region to be an integer", raw({0, 0, 0, 0, 0, 0, 0, 0, id, -1, 0, 1, 10, 1, 20, 10})},
      {"buffer a's region to be an integer", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1e300, 0, 1, 10, 1, 20, 10})},
      {"buffer b's offset to be an integer", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1, 0, 1, -10, 1, 20, 10})},
      {"buffer b's offset to be an integer", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1, 0, 1, 1e17, 1, 20, 10})},
      {"buffer y's offset to be an integer", raw({0, 0, 0, 0, 0, 0, 0, 0, id, 1, 0, 1, 10, 1, 20.5, 10})},
      {"dim n to be an integer", add_of(arena(0), arena(0), arena(0), -1)},
      {"dim n to be an integer", add_of(arena(0), arena(0), arena(0), kNan)},
      {"dim n to be an integer", add_of(arena(0), arena(0), arena(0), 2147483648.0)},
      {"dim n to be an integer", add_of(arena(0), arena(10), arena(90), -1).rows(0)},
      {"dim n per row to be an integer", add_of(arena(0), arena(20), arena(40), -1.5).rows(5)},
      {"dim n to be at most 2147483647", add_of(arena(0), arena(20), arena(40), -1e6).rows(1e6)},
      {"buffer y to end within the 100 elements of the arena", add_of(arena(0), arena(20), arena(91), -2).rows(5)},
      {"dim rows to be fixed", gather_of(store(0, 0), order(0), -2).rows(4)},
      {"scalar s but received the end", Code({0, 0, 0, 0}).call("add_scalar", {arena(0), arena(10)}, {10})},
  };
}

std::vector<Refusal> malformed_places() {
  return {
      {"buffer y to end within the 100 elements of the arena", add_of(arena(0), arena(10), arena(91), 10)},
      {"buffer a to end within the 100 elements of the arena", add_of(arena(101), arena(10), arena(90), 0)},
      {"buffer a to end within", add_of(arena(9007199254740992.0), arena(10), arena(90), 10)},
      {"buffer b to end within the 64 elements of store 0", add_of(arena(0), store(0, 55), arena(90), 10)},
      {"buffer y to end within the 1 elements of losses", add_of(arena(0), arena(10), losses(0), 2)},
      {"buffer x to end within", linear_of(2147483647, 2147483647, 1)},
      {"buffer w to end within", linear_of(4, 5, 17)},
      {"buffer scalars to end within the 8 elements of scalars", sgd_of(arena(0), none(), scalars(2), 10)},
      {"buffer scalars to end within the 100 elements of the arena", sgd_of(arena(0), none(), arena(88), 10)},
      {"buffer scalars to have an even offset", sgd_of(arena(0), none(), arena(41), 10)},
      {"buffer a to be present", add_of(none(), arena(10), arena(90), 10)},
      {"buffer y to be present", add_of(arena(0), arena(10), none(), 10)},
      {"or one of 3 stores", add_of(arena(0), store(3, 0), arena(90), 10)},
      {"or one of 3 stores", add_of(arena(0), {7, 0}, arena(90), 10)},
      {"or one of 3 stores", add_of(arena(0), {15, 0}, arena(90), 10)},
      {"to be in a region of float32", add_of(arena(0), store(1, 0), arena(90), 10)},
      {"to be in a region of float32", add_of(arena(0), order(0), arena(90), 4)},
      {"to be in a region of float32", add_of(arena(0), scalars(0), arena(90), 4)},
      {"to be in a region of float32", add_of(arena(0), arena(10), counts(0), 1)},
      {"to be in a region of float64", sgd_of(arena(0), none(), store(0, 0), 10)},
      {"to be in a region of int32",
       Code({4, 0, 0, 1}).call("count_correct", {arena(0), losses(0), counts(0)}, {4, 3})},
      {"buffer y to be in the arena, losses or counts, being written", add_of(arena(0), arena(10), store(0, 0), 10)},
      {"buffer count to be in the arena, losses or counts",
       Code({4, 0, 0, 1}).call("count_correct", {arena(0), order(0), order(3)}, {4, 3})},
      {"buffer mask to end within the 12 elements of draws", dropout_of(draws(3), arena(20), 10)},
      {"buffer y to be in the arena, losses or counts, being written", dropout_of(draws(0), draws(0), 10)},
      {"to be in a region of float64", sgd_of(arena(0), none(), draws(0), 10)},
      {"buffer p to be in the arena, losses or counts", sgd_of(store(0, 0), none(), scalars(0), 10)},
  };
}

std::vector<Refusal> malformed_gathers() {
  return {
      {"buffer data to end within the 64 elements of store 0", gather_of(store(0, 0), order(0), 9)},
      {"buffer data to end within the 64 elements of store 2", widened_of(store(2, 1), 8)},
      {"buffer data to be in a region of uint8 but received store 0, which is float32", widened_of(store(0, 0), 8)},
      {"buffer data to be in a region of uint8 but received draws, which is float32", widened_of(draws(0), 0)},
      {"buffer data to be in a store, being uint8 but received the arena", widened_of(arena(80), 8)},
      {"buffer data to be in a region of float32 but received store 2, which is uint8",
       gather_of(store(2, 0), order(0), 8)},
      {"buffer order to end within the 4 elements of order", gather_of(store(0, 0), order(1), 8)},
      {"buffer order to be in order, being row numbers", gather_of(store(0, 0), store(1, 0), 8)},
      {"buffer order to be in order, being row numbers", gather_of(store(0, 0), arena(60), 8)},
      {"buffer order to end within the 1 elements of counts", gather_of(store(0, 0), counts(0), 8)},
  };
}

std::vector<Refusal> malformed_overlaps() {
  return {
      {"buffer y to share no memory with a", add_of(arena(0), arena(20), arena(1), 10)},
      {"buffer y to share no memory with b", add_of(arena(0), arena(20), arena(11), 10)},
      {"buffer y to share no memory with x",
       Code({0, 0, 0, 0}).call("linear_fwd", {arena(0), arena(20), none(), arena(0)}, {4, 5, 5})},
      {"buffer p to share no memory with g", sgd_of(arena(20), none(), scalars(0), 10)},
      {"to share no memory with momentum_buffer", sgd_of(arena(0), arena(9), scalars(0), 10)},
      {"buffer p to share no memory with scalars", sgd_of(arena(0), none(), arena(8), 10)},
      {"call 1 (count_correct): expected buffer count to share no memory with logits",
       Code({4, 0, 1, 1})
           .call("softmax_fwd", {arena(0), arena(0)}, {4, 3})
           .call("count_correct", {arena(0), arena(20), arena(5)}, {4, 3})},
  };
}

bool check_refusal(const Refusal& refusal) {
  auto plan = make_plan(kWords);
  const Status status = add_program(*plan, refusal.code.numbers);
  if (status.refusal.find(refusal.words) != std::string::npos) return true;
  printf("expected a refusal with '%s' but received '%s'\n", refusal.words, status.refusal.c_str());
  return false;
}

bool check_accepted(const Code& code) {
  auto plan = make_plan(kWords);
  const Status status = add_program(*plan, code.numbers);
  if (!status.ok()) printf("expected an accepted program but received '%s'\n", status.refusal.c_str());
  return status.ok();
}

struct RunRefusal {
  const char* words;
  std::vector<Segment> segments;
  int64_t order, scalars;  // lengths
  int32_t last;            // of order; the others are 0
  int64_t draws = 0;       // length
};

bool check_run(const RunRefusal& refusal) {
  auto plan = make_plan(kWords);
  // The second program needs 4 order values and 7 scalars per step, the third 4 numbers of 8 and of 6 rows, the fourth
  // 12 draws.
  add_program(*plan, raw({0, 0, 0, 0, 0, 0, 0, 0}).numbers);
  add_program(*plan, Code({4, 7, 1, 1}).call("sgd_update", {arena(0), arena(20), none(), scalars(0)}, {10}).numbers);
  add_program(
      *plan,
      gather_of(store(0, 0), order(0), 8).call("gather_rows", {store(0, 0), order(0), arena(32)}, {6, 8, 4}).numbers);
  add_program(*plan, Code({0, 0, 0, 0, 12}).call("dropout", {arena(0), draws(0), arena(20)}, {12, 2}).numbers);
  Run run;
  run.segments = refusal.segments;
  OwnInputs inputs = {std::vector<int32_t>(static_cast<size_t>(refusal.order), 0),
                      std::vector<double>(static_cast<size_t>(refusal.scalars), 0.5),
                      std::vector<float>(static_cast<size_t>(refusal.draws), 1.0f)};
  if (!inputs.order.empty()) inputs.order.back() = refusal.last;
  run.inputs = inputs.view();
  const Status status = prepare_run(*plan, run);
  if (*refusal.words ? status.refusal.find(refusal.words) != std::string::npos : status.ok()) return true;
  printf("expected the run to be refused with '%s' but received '%s'\n", refusal.words, status.refusal.c_str());
  return false;
}

std::vector<RunRefusal> runs() {
  return {
      {"", {}, 0, 0, 0},
      {"", {{1, 2}, {0, 2147483647}, {1, 1}}, 12, 21, 0},
      {"", {{1, 1}, {2, 1}}, 8, 15, 5},
      {"order[7] to be one of 6 rows but received 6", {{1, 1}, {2, 1}}, 8, 15, 6},
      {"order[3] to be one of 6 rows but received -1", {{2, 1}}, 4, 8, -1},
      {"order[7] to be one of 6 rows but received 2147483647", {{2, 1}, {2, 1}, {1, 0}}, 8, 16, 2147483647},
      {"", {{1, 1}}, 4, 7, 2147483647},
      {"segment 0 to name one of 4 programs", {{4, 1}}, 0, 0, 0},
      {"segment 1 to name one of 4 programs", {{0, 1}, {-1, 1}}, 0, 0, 0},
      {"segment 0 to have 0 or more steps", {{0, -1}}, 0, 0, 0},
      {"order to have at least 8 elements", {{1, 2}}, 7, 14, 0},
      {"", {{3, 2}}, 0, 0, 0, 24},
      {"draws to have at least 24 elements", {{3, 2}}, 0, 0, 0, 23},
      {"scalars to have at least 14 elements", {{1, 2}}, 8, 13, 0},
      {"order to have at least 8589934588 elements", {{1, 2147483647}}, 8, 14, 0},
  };
}

}  // namespace

// The number of failures.
int check_refusals() {
  int failed = 0, count = 0;
  for (const Code& code : accepted()) failed += !check_accepted(code);
  for (const auto& table :
       {malformed_headers(), malformed_numbers(), malformed_places(), malformed_gathers(), malformed_overlaps()}) {
    for (const Refusal& refusal : table) failed += !check_refusal(refusal), ++count;
  }
  for (const RunRefusal& refusal : runs()) failed += !check_run(refusal), ++count;
  printf("plan_test: %d malformed programs and runs\n", count);
  return failed;
}

}  // namespace anneal::test
