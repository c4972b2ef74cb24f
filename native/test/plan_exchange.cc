// Exchanges without MPI: plans on threads of one process, whose ranks compute parts of what one plan computes whole;
// exchanges that must be refused; a rank that does not answer. Not here: MPI itself (test/distributed.test.ts).
#include <stdio.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "../kernels/dispatch.h"
#include "mailboxes.h"
#include "programs.h"

namespace anneal::test {
namespace {

int failures = 0;

void expect(bool right, const std::string& what) {
  if (right) return;
  printf("FAILED: %s\n", what.c_str());
  ++failures;
}

double number(int64_t value) { return static_cast<double>(value); }

float* words_of(const Plan& plan) { return reinterpret_cast<float*>(plan.space.arena->data()); }

std::unique_ptr<Plan> plan_of(int64_t words, std::shared_ptr<Transport> transport) {
  auto plan = make_plan(words);
  plan->space.transport = std::move(transport);
  for (int64_t i = 0; i < words; ++i) words_of(*plan)[i] = 0.01f * static_cast<float>(i * 37 % 19 - 9);
  return plan;
}

Status run_steps(Plan& plan, int32_t steps) {
  Run run;
  run.segments = {{0, steps}};
  const Status status = prepare_run(plan, run);
  return status.ok() ? execute_run(plan, run) : status;
}

// Runs the program of each rank on a thread of its own; the plans with what they have computed.
std::vector<std::unique_ptr<Plan>> run_ranks(int size, int64_t words, int32_t steps,
                                             const std::function<Code(int rank)>& program) {
  auto boxes = std::make_shared<Mailboxes>(size);
  std::vector<std::unique_ptr<Plan>> plans;
  for (int rank = 0; rank < size; ++rank) {
    plans.push_back(plan_of(words, std::make_shared<Mailbox>(boxes, rank)));
    const Status status = add_program(*plans.back(), program(rank).numbers);
    expect(status.ok(), status.refusal);
  }
  if (failures) return plans;
  std::vector<std::thread> threads;
  for (auto& plan : plans) {
    threads.emplace_back([&plan, steps] {
      const Status status = run_steps(*plan, steps);
      expect(status.ok(), status.refusal);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return plans;
}

// ---- Parts of a product --------------------------------------------------------------------------------------------

// y = x·wᵀ of kRows rows; then x = y cut to x's columns, so that every step needs the one before.
constexpr int64_t kRows = 12, kIn = 8, kOut = 8;
constexpr int64_t kX = 0, kW = 96, kY = 160, kEnd = 256;

Code whole_product() {
  return Code({})
      .call("linear_fwd", {arena(kX), arena(kW), none(), arena(kY)}, {kRows, kIn, kOut})
      .call("tanh_fwd", {arena(kY), arena(kX)}, {kRows * kOut});
}

// Everybody's block goes to everybody else: `part` of `size` of the buffer at `offset`, as block(part) places it.
void gather_parts(Code& code, int rank, int size, const std::function<Blocks(int part)>& blocks) {
  Blocks sends, receives;
  for (int peer = 0; peer < size; ++peer) {
    if (peer == rank) continue;
    for (BlockNumbers block : blocks(rank)) sends.push_back(block.with(peer));
    for (BlockNumbers block : blocks(peer)) receives.push_back(block.with(peer));
  }
  code.exchange(sends, receives);
}

// Rank r of n computes every row block r of y; the blocks are exchanged.
Code rows_of_product(int rank, int size) {
  const int64_t rows = kRows / size, at = rank * rows;
  Code code({});
  code.call("linear_fwd", {arena(number(kX + at * kIn)), arena(kW), none(), arena(number(kY + at * kOut))},
            {number(rows), kIn, kOut});
  gather_parts(code, rank, size,
               [&](int part) -> Blocks { return {{number(kY + part * rows * kOut), number(rows * kOut), 0, 1}}; });
  return code.arrival(0).call("tanh_fwd", {arena(kY), arena(kX)}, {kRows * kOut});
}

// The same in two exchanges that end in the other order, of the even and of the odd rows: blocks with gaps. A rank
// keeps a copy of its own rows by sending them to itself.
constexpr int64_t kCopy = kEnd, kCopyEnd = kCopy + kRows * kOut;

Code strided_rows_of_product(int rank, int size) {
  const int64_t rows = kRows / size, at = rank * rows;
  Code code({});
  code.call("linear_fwd", {arena(number(kX + at * kIn)), arena(kW), none(), arena(number(kY + at * kOut))},
            {number(rows), kIn, kOut});
  for (int64_t odd : {0, 1}) {
    gather_parts(code, rank, size, [&](int part) -> Blocks {
      return {{number(kY + (part * rows + odd) * kOut), kOut, 2 * kOut, number(rows / 2)}};
    });
  }
  const double own = number(kY + at * kOut), me = rank;
  code.exchange({{own, kOut, 0, 1, me}, {own + kOut, number((rows - 1) * kOut), 0, 1, me}},
                {{kCopy, number(rows * kOut), 0, 1, me}});
  return code.arrival(1).arrival(0).arrival(2).call("tanh_fwd", {arena(kY), arena(kX)}, {kRows * kOut});
}

void check_products() {
  constexpr int32_t kSteps = 7;
  auto whole = plan_of(kEnd, nullptr);
  expect(add_program(*whole, whole_product().numbers).ok(), "the whole product is accepted");
  expect(run_steps(*whole, kSteps).ok(), "the whole product is run");
  for (int size : {2, 3}) {
    for (bool strided : {false, true}) {
      const auto plans = run_ranks(size, kCopyEnd, kSteps, [&](int rank) {
        return strided ? strided_rows_of_product(rank, size) : rows_of_product(rank, size);
      });
      for (int rank = 0; rank < size; ++rank) {
        const float *got = words_of(*plans[static_cast<size_t>(rank)]), *want = words_of(*whole);
        expect(memcmp(got, want, kEnd * kWord) == 0, "ranks have the bits of one plan");
        const int64_t own = kY + rank * (kRows / size) * kOut, length = kRows / size * kOut;
        expect(!strided || memcmp(got + kCopy, want + own, static_cast<size_t>(length * kWord)) == 0,
               "a rank gets what it sends itself");
      }
    }
  }
}

// ---- Refusals ------------------------------------------------------------------------------------------------------

constexpr int64_t kWords = 100;

// Rank 0 of two sends words 0 to 9 and receives words 20 to 29.
Code pair_of(BlockNumbers send, BlockNumbers receive) { return Code({}).exchange({send.with(1)}, {receive.with(1)}); }
Code plain_pair() { return pair_of({0, 10, 0, 1}, {20, 10, 0, 1}); }
Code adding(double a, double y) { return plain_pair().call("add", {arena(a), arena(a), arena(y)}, {10}); }

std::vector<Code> accepted() {
  return {
      Code({}).exchange({}, {}).arrival(0),
      plain_pair().arrival(0),
      adding(30, 40).arrival(0),
      adding(0, 40).arrival(0),
      adding(10, 10).arrival(0),
      plain_pair().arrival(0).call("add", {arena(20), arena(20), arena(0)}, {10}),
      pair_of({0, 10, 20, 4}, {10, 10, 20, 5}).arrival(0),
      pair_of({0, 10, 20, 4}, {10, 10, 20, 5}).call("add", {arena(0), arena(0), arena(80)}, {10}).arrival(0),
      pair_of({90, 10, 0, 1}, {0, 90, 0, 1}).arrival(0),
      pair_of({90, 10, 9e15, 1}, {0, 1, 1, 90}).arrival(0),
      Code({}).exchange({{0, 10, 0, 1, 1}, {5, 10, 0, 1, 1}, {0, 3, 0, 1, 0}}, {{30, 1, 2, 3, 0}}).arrival(0),
      plain_pair().exchange({{0, 10, 0, 1, 1}}, {{30, 10, 0, 1, 1}}).arrival(1).arrival(0),
      plain_pair().arrival(0).exchange({{20, 10, 0, 1, 1}}, {{0, 10, 0, 1, 1}}).arrival(1),
  };
}

struct Refusal {
  const char* words;  // that the message must contain
  Code code;
};

std::vector<Refusal> malformed_blocks() {
  return {
      {"send 0's peer to be an integer from 0 to 1", Code({}).exchange({{0, 1, 0, 1, 2}}, {})},
      {"receive 0's peer to be an integer from 0 to 1", Code({}).exchange({}, {{0, 1, 0, 1, -1}})},
      {"send 0's words to be an integer from 1", pair_of({0, 0, 0, 1}, {20, 10, 0, 1})},
      {"send 0's times to be an integer from 1", pair_of({0, 1, 0, 0}, {20, 10, 0, 1})},
      {"send 0's offset to be an integer", pair_of({0.5, 1, 0, 1}, {20, 10, 0, 1})},
      {"send 0 to end within the 100 words of the arena but received an end at 101",
       pair_of({91, 10, 0, 1}, {20, 10, 0, 1})},
      {"receive 0 to end within the 100 words", pair_of({0, 10, 0, 1}, {11, 10, 20, 5})},
      {"receive 0 to end within the 100 words of the arena but received an end beyond 2^53",
       pair_of({0, 10, 0, 1}, {11, 10, 9e15, 2000000000})},
      {"receive 0's stride to be at least its words (10) but received 9", pair_of({0, 10, 0, 1}, {20, 10, 9, 2})},
      {"receive 0 to share no memory with send 0", pair_of({0, 10, 0, 1}, {9, 10, 0, 1})},
      {"receive 0 to share no memory with send 0", pair_of({0, 10, 20, 4}, {9, 10, 20, 4})},
      {"receive 2 to share no memory with receive 0",
       Code({}).exchange({}, {{0, 10, 20, 4, 1}, {30, 1, 0, 1, 1}, {60, 1, 0, 1, 1}})},
      {"rank 0 to receive what it sends itself (3 words) but received 2",
       Code({}).exchange({{0, 3, 0, 1, 0}}, {{30, 2, 0, 1, 0}})},
      {"send 0's stride but received the end of the program", Code({}).raw({0, 1, 0, 1, 0, 10})},
      {"the number of receives but received the end", Code({}).raw({0, 1})},
      {"the number of sends to be an integer", Code({}).raw({0, -1, 0})},
      {"the number of receives to be an integer", Code({}).raw({0, 0, 4294967295.0})},
      {"receive 0's peer but received the end", Code({}).raw({0, 0, 2147483647.0})},
  };
}

std::vector<Refusal> malformed_orders() {
  return {
      {"every exchange to be finished but received exchange 0 that is not", plain_pair()},
      {"an exchange that is under way but received number 0", Code({}).arrival(0)},
      {"an exchange that is under way but received number 0", plain_pair().arrival(0).arrival(0)},
      {"an exchange that is under way but received number 1", plain_pair().arrival(1)},
      {"the number of an exchange to be an integer", plain_pair().arrival(-1)},
      {"call 1 (add): expected to leave the blocks of exchange 0 alone until it is finished but received buffer y",
       adding(50, 29)},
      {"buffer y in them", adding(50, 9)},
      {"buffer a in them", adding(19, 40)},
      {"blocks that meet", plain_pair().exchange({}, {{29, 1, 0, 1, 1}})},
      {"blocks that meet", plain_pair().exchange({}, {{9, 1, 0, 1, 1}})},
      {"blocks that meet", plain_pair().exchange({{20, 1, 0, 1, 1}}, {})},
      {"no exchange where rows differ from run to run", plain_pair().arrival(0).rows(3)},
  };
}

void check_refusals() {
  auto boxes = std::make_shared<Mailboxes>(2);
  for (const Code& code : accepted()) {
    const Status status = add_program(*plan_of(kWords, std::make_shared<Mailbox>(boxes, 0)), code.numbers);
    expect(status.ok(), status.refusal);
  }
  for (const auto& table : {malformed_blocks(), malformed_orders()}) {
    for (const Refusal& refusal : table) {
      const Status status = add_program(*plan_of(kWords, std::make_shared<Mailbox>(boxes, 0)), refusal.code.numbers);
      expect(status.refusal.find(refusal.words) != std::string::npos,
             std::string("expected '") + refusal.words + "' but received '" + status.refusal + "'");
    }
  }
  const Status alone = add_program(*plan_of(kWords, nullptr), plain_pair().arrival(0).numbers);
  expect(alone.refusal.find("no exchange in a plan without a world") != std::string::npos, alone.refusal);
}

// Words are written where they are received: a read of them during the run is refused by this extent.
void check_written() {
  auto plan = plan_of(kWords, std::make_shared<Mailbox>(std::make_shared<Mailboxes>(2), 0));
  expect(add_program(*plan, pair_of({0, 10, 0, 1}, {20, 5, 10, 3}).arrival(0).numbers).ok(), "the pair is accepted");
  const Extent written = plan->programs[0].written;
  expect(written.begin == 20 * kWord && written.end == 45 * kWord, "what is received counts as written");
}

// ---- Ranks that do not answer, ranks that are stopped --------------------------------------------------------------

void check_stalled() {
  auto plan = plan_of(kWords, std::make_shared<Mailbox>(std::make_shared<Mailboxes>(2), 0, 0.05));
  expect(add_program(*plan, plain_pair().arrival(0).numbers).ok(), "the pair is accepted");
  const Status status = run_steps(*plan, 3);
  expect(status.code == std::string("ERR_RANK_STALLED") && status.refusal == "rank 1 did not answer", status.refusal);
}

// A rank that stopped by itself would leave the others waiting.
void check_not_stopped() {
  auto plan = plan_of(kEnd, std::make_shared<Mailbox>(std::make_shared<Mailboxes>(1), 0));
  expect(add_program(*plan, whole_product().numbers).ok(), "the product is accepted");
  plan->stop = true;
  Run run;
  run.segments = {{0, 5}};
  expect(prepare_run(*plan, run).ok() && execute_run(*plan, run).ok() && run.steps == 5, "a rank is not stopped");
}

}  // namespace

// The number of failures.
int check_exchanges() {
  check_products();
  check_refusals();
  check_written();
  check_stalled();
  check_not_stopped();
  return failures;
}

}  // namespace anneal::test
