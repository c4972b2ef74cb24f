// Which instruction set this processor, this operating system and the user allow, and how large its caches are. Not
// here: which kernels exist for it (kernels/dispatch.h), and what follows from the sizes (src/native/cpu.ts).
#pragma once

#include <stdint.h>

namespace anneal {

enum class Isa { sse2, avx2, avx512, neon, wasm };

constexpr Isa kIsas[] = {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon, Isa::wasm};

const char* isa_name(Isa isa);

// What the hardware and the operating system support: CPUID and XGETBV on x86-64, always NEON on arm64 and
// WebAssembly's own where that runs.
bool isa_supported(Isa isa);

// The best supported set, lowered by ANNEAL_MAX_ISA=avx512|avx2|sse2. Decided once per process.
Isa chosen_isa();

// Bytes of the caches that a core reads through, by level; where the processor does not say, sizes that few are below.
struct Caches {
  int64_t level[3] = {32 << 10, 512 << 10, 4 << 20};
};

// Read once per process, in microseconds.
const Caches& caches();

// How chosen_isa() came about, one line for people; names a value of ANNEAL_MAX_ISA that was not understood.
const char* isa_status();

// True when ANNEAL_MAX_ISA holds something that names no instruction set.
bool isa_request_unknown();

}  // namespace anneal
