// See prefetch.h.
#include "prefetch.h"

#include <string>

namespace anneal {
namespace {

// Whether call i uses the gathered batch otherwise than by reading it before its reader has replaced it, or as that.
bool touches_batch(const std::vector<Use>& uses, const Prefetch& prefetch, int64_t i, int x) {
  const Use& use = uses[i];
  const Range& batch = uses[prefetch.gather].ranges[2];
  if (use.exchange) {
    const Extent extent{batch.begin, batch.end};
    return use.exchange->sends_any(extent) || use.exchange->receives_any(extent);
  }
  for (int b = 0; b < use.kernel->buffer_count; ++b) {
    if (!use.ranges[b].meets(batch)) continue;
    const bool reads = use.kernel->buffers[b].role == Role::in && i > prefetch.gather;
    if (!reads || i > prefetch.reader || (i == prefetch.reader && b != x)) return true;
  }
  return false;
}

int buffer_named(const KernelInfo& kernel, const char* name) {
  for (int b = 0; b < kernel.buffer_count; ++b) {
    if (kernel.buffers[b].name.text == std::string(name)) return b;
  }
  return -1;
}

}  // namespace

Status prove_prefetch(const CodeReader& code, const std::vector<Use>& uses, Program& program) {
  const int64_t gather = program.prefetch.gather, reader = program.prefetch.reader;
  const int64_t calls = static_cast<int64_t>(uses.size());
  if (gather < 0 && reader < 0) return {};
  if (program.most_rows > 0) return code.refuse("no prefetch where rows differ from run to run", "one");
  if (gather < 0 || gather >= reader || reader >= calls) {
    return code.refuse("a gather and a later reader among " + text(calls) + " calls",
                       text(gather + 1) + " and " + text(reader + 1));
  }
  const Use &from = uses[gather], &last = uses[reader];
  const int x = last.kernel && last.kernel->prefetches ? buffer_named(*last.kernel, "x") : -1;
  const Call &gathered = program.instructions[gather].call, &read = program.instructions[reader].call;
  if (from.kernel != &kernel_info(kernel_id("gather_panels")) || from.ranges[0].region < kFirstStore || x < 0 ||
      from.ranges[2].region != kArena || !last.ranges[x].equals(from.ranges[2]) || read.dim[0] != gathered.dim[2] ||
      read.dim[1] != gathered.dim[1]) {
    return code.refuse("a gather_panels from a store and a kernel that can replace its batch",
                       text(gather + 1) + " (" + from.name() + ") and " + text(reader + 1) + " (" + last.name() + ")");
  }
  for (int64_t i = 0; i < calls; ++i) {
    if (i != gather && touches_batch(uses, program.prefetch, i, x)) {
      return code.refuse("nobody but readers until call " + text(reader + 1) + " to touch the batch to be replaced",
                         "call " + text(i + 1) + " (" + uses[i].name() + ")");
    }
  }
  program.prefetch.next.x = static_cast<float*>(gathered.buffer[2]);
  return {};
}

}  // namespace anneal
