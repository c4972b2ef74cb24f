// What the calls of a program touch, and the proof from it that the next batch may be fetched into the place of this
// one. Not here: when there is a next one (executor.cc).
#pragma once

#include <vector>

#include "program.h"

namespace anneal {

// The bytes of a buffer within its region; regions of different numbers never share memory.
struct Range {
  int64_t region, begin, end;

  bool meets(const Range& other) const { return region == other.region && begin < other.end && other.begin < end; }
  bool equals(const Range& other) const { return region == other.region && begin == other.begin && end == other.end; }
};

// What an instruction touches: buffers of a kernel, or the blocks of an exchange.
struct Use {
  const KernelInfo* kernel;
  const Exchange* exchange;
  Range ranges[kMaxBuffers];

  const char* name() const { return kernel ? kernel->name : "exchange"; }
};

// Proves that nothing touches the memory of the batch but its gather from a store and, later in the step, calls that
// read it, the last of which can replace it.
Status prove_prefetch(const CodeReader& code, const std::vector<Use>& uses, Program& program);

}  // namespace anneal
