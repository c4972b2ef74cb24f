// A call carried out in several parts, as several threads would. Not here: threads (plan_test.cc).
#pragma once

#include "../kernels/signature.h"

namespace anneal::test {

// The last part first, because no order may matter.
inline void run_in_parts(KernelFn kernel, const KernelInfo& info, Call call, int32_t parts) {
  const bool around = info.sums && parts > 1;
  call.parts = parts;
  for (call.part = -1; around && call.part < 0; ++call.part) kernel(call);
  for (call.part = parts - 1; call.part >= 0; --call.part) kernel(call);
  for (call.part = parts; around && call.part == parts; ++call.part) kernel(call);
}

}  // namespace anneal::test
