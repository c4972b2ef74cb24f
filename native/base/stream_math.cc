// Chooses the table; compiled for the baseline. See stream_math.h.
#include "stream_math.h"

#include "cpu.h"

namespace anneal {

#if defined(__x86_64__) || defined(_M_X64)
extern const StreamMath stream_math_sse2;
extern const StreamMath stream_math_avx2;
#elif defined(__wasm__)
extern const StreamMath stream_math_wasm;
#else
extern const StreamMath stream_math_neon;
#endif

const StreamMath& stream_math() {
#if defined(__x86_64__) || defined(_M_X64)
  static const StreamMath& chosen = chosen_isa() == Isa::sse2 ? stream_math_sse2 : stream_math_avx2;
  return chosen;
#elif defined(__wasm__)
  return stream_math_wasm;
#else
  return stream_math_neon;
#endif
}

}  // namespace anneal
