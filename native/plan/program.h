// A program: the kernel calls of one training or evaluation step, decoded from the flat list of numbers that TypeScript
// lays out, and proved to stay within their memory. What has been decoded can be executed without a further check, but
// for the row numbers in `order`, which are a run's (executor.h). Not here: running it.
//
//   [order scalars losses counts draws per step, gather, reader, rows]  then per call one of
//   [kernel id, (region, offset) per buffer, dims, scalars]
//   [exchange, sends, receives, (peer, offset, words, stride, times) per block that is sent, then received]
//   [arrival, i]: finishes the exchange that is the i-th of this program, counted from 0
// Every exchange (exchange.h) is finished once; meanwhile nothing is written to what it sends, and nothing touches what
// it receives.
// gather, reader: the calls, counted from 1, of which the one gathers a batch and the other, the last to read it,
// fetches the next step's into its place; from the second step on the gather is then left out. Both 0: there are none.
// rows: not 0 where the program computes up to that many rows, as many as a run asks for. A dim of -f is then f times
// the rows: what is proved for all of them holds for fewer, since every buffer begins where it does and only gets
// shorter.
#pragma once

#include <stdint.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "../base/arena.h"
#include "../base/status.h"
#include "../kernels/call.h"
#include "../kernels/dispatch.h"
#include "../kernels/signature.h"
#include "exchange.h"
#include "extent.h"

namespace anneal {

// Where a buffer is. Offsets count elements, in the arena words of four bytes. In the moving regions they count from
// the current step's place, which goes on by the program's amount after each step.
enum Region : int8_t { kAbsent = 0, kArena = 1, kOrder = 2, kScalars = 3, kLosses = 4, kCounts = 5, kDraws = 6 };
constexpr int kFirstStore = 16;
constexpr int kFirstMoving = kOrder;
constexpr int kMovingRegions = 5;

// What the moving regions are called, in the order of Region, and the other fields of a program's header.
constexpr const char* kMovingNames[kMovingRegions] = {"order", "scalars", "losses", "counts", "draws"};
constexpr const char* kPrefetchNames[] = {"gather", "reader"};
constexpr const char* kRowsName = "rows";
constexpr int kHeaderFields = kMovingRegions + 3;

// What stands in the place of a kernel id.
inline int exchange_id() { return kernel_count(); }
inline int arrival_id() { return kernel_count() + 1; }

// Elements of each moving region, in the order of Region.
struct Amounts {
  int64_t of[kMovingRegions] = {};
};

// A column of a data set: in memory of its own, filled once, or values where they lie, which others may write at any
// time. Never int32: some are places in memory, which are proved once and trusted from then on.
struct Store {
  Store(Dtype dtype, int64_t length)
      : dtype(dtype),
        length(length),
        memory(std::make_shared<Arena>(length * element_size(dtype))),
        data(memory->data()) {}
  Store(std::shared_ptr<Arena> around, Dtype dtype, void* values, int64_t length)
      : dtype(dtype), length(length), memory(std::move(around)), data(static_cast<char*>(values)) {}

  const Dtype dtype;  // not f64
  const int64_t length;
  const std::shared_ptr<Arena> memory;  // in which the values lie
  char* const data;
};

// All that programs may name and that stays where it is: memory, and the ranks that they exchange with, if any.
struct Space {
  std::shared_ptr<Arena> arena;
  std::vector<std::shared_ptr<Store>> stores;
  std::shared_ptr<Transport> transport;
};

// A kernel's call; or the start or the end of an exchange, and then that and no kernel.
struct Instruction {
  const KernelInfo* kernel;
  KernelFn run;
  bool splits;  // large enough to be worth several threads, and the kernel honours part/parts
  bool sums;    // its parts want a call before and one after them
  Call call;
  Exchange* exchange = nullptr;
  bool arrives = false;
};

// A pointer of a call that goes on after every step.
struct MovingPointer {
  void** pointer;
  Region region;
  int64_t offset, advance;  // bytes
};

// A buffer of a call in a store, which may be replaced by another between two runs.
struct StoredBuffer {
  int instruction, buffer;
  int64_t store, offset;  // bytes
};

// A dim of a call that goes with the rows: so many for each.
struct RowDim {
  int instruction, dim;
  int64_t per_row;
};

// Two calls by their numbers: a gather, and the last call that reads its batch and can replace it by the next step's
// (call.h); -1: none.
struct Prefetch {
  int64_t gather = -1, reader = -1;
  NextBatch next{};
};

struct Program {
  Amounts per_step;
  std::vector<Instruction> instructions;
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::vector<MovingPointer> moving;
  std::vector<StoredBuffer> stored;
  bool takes_rows = false;  // `order` holds row numbers: each must be in [0, order_limit)
  int64_t order_limit = INT64_MAX;
  Extent written;  // all that it writes in the arena lies in there

  Prefetch prefetch;

  int64_t most_rows = 0, rows = 0;  // what it was proved for, and what it computes at the moment; 0: it has no rows
  std::vector<RowDim> row_dims;

  Program() = default;
  Program(Program&&) = default;  // moving keeps the instructions, and so what is pointed to, in place
  Program(const Program&) = delete;

  bool splits() const {
    for (const Instruction& instruction : instructions) {
      if (instruction.splits) return true;
    }
    return false;
  }
};

// Has the program compute so many rows, at most most_rows.
void set_rows(Program& program, int64_t rows);

// Has the calls that read store number `number` read these values.
void point_to_store(Program& program, int64_t number, const char* values);

// The elements of store number `number` up to the last that the program reads, with the rows that it has at the moment.
int64_t reach_into_store(const Program& program, int64_t number);

// Decodes and proves program number `index`; `code` is read once (code_reader.h). `program` must stay where it is.
Status decode_program(const double* code, size_t length, int index, const Space& space, Program& program);

}  // namespace anneal
