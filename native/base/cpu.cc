// CPUID + XGETBV detection, the ANNEAL_MAX_ISA override, and the caches by CPUID or as the system tells them. See
// cpu.h.
#include "cpu.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#if defined(__x86_64__) || defined(_M_X64)
#define ANNEAL_X64 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace anneal {
namespace {

#if defined(ANNEAL_X64)

struct Registers {
  uint32_t a, b, c, d;
};

Registers cpuid(uint32_t leaf, uint32_t part = 0) {
  Registers r{};
#if defined(_MSC_VER)
  int out[4];
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(part));
  r = {static_cast<uint32_t>(out[0]), static_cast<uint32_t>(out[1]), static_cast<uint32_t>(out[2]),
       static_cast<uint32_t>(out[3])};
#else
  __get_cpuid_count(leaf, part, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// The register state the operating system saves on a context switch: without it the instructions exist but fault.
uint64_t saved_state() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
#endif
}

constexpr bool has(uint64_t word, uint64_t bits) { return (word & bits) == bits; }

struct Features {
  bool avx2 = false;
  bool avx512 = false;
};

Features detect() {
  constexpr uint32_t kFma = 1u << 12, kOsxsave = 1u << 27, kAvx = 1u << 28;        // leaf 1, ecx
  constexpr uint32_t kAvx2 = 1u << 5;                                              // leaf 7, ebx
  constexpr uint32_t kAvx512 = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);  // F DQ BW VL
  constexpr uint64_t kYmmState = 0x6, kZmmState = 0xe6;                            // XCR0
  Features found;
  if (cpuid(0).a < 7 || !has(cpuid(1).c, kFma | kOsxsave | kAvx)) return found;
  const uint64_t state = saved_state();
  const uint32_t extended = cpuid(7).b;
  found.avx2 = has(state, kYmmState) && has(extended, kAvx2);
  found.avx512 = found.avx2 && has(state, kZmmState) && has(extended, kAvx512);
  return found;
}

// Intel lists its caches in leaf 4, AMD the same way in 0x8000001d.
bool list_caches(uint32_t leaf, Caches& found) {
  bool any = false;
  for (uint32_t i = 0; i < 16; i++) {
    const Registers r = cpuid(leaf, i);
    const uint32_t type = r.a & 31, level = r.a >> 5 & 7;  // 1: data, 2: instructions, 3: both
    if (type == 0) break;
    if (type == 2 || level < 1 || level > 3) continue;
    const int64_t ways = (r.b >> 22) + 1, partitions = (r.b >> 12 & 1023) + 1, line = (r.b & 4095) + 1;
    found.level[level - 1] = ways * partitions * line * (int64_t{r.c} + 1);
    any = true;
  }
  return any;
}

Caches read_caches() {
  constexpr uint32_t kIntel = 4, kExtended = 0x80000000, kAmd = 0x8000001d;
  Caches found;
  if (cpuid(kExtended).a >= kAmd && list_caches(kAmd, found)) return found;
  if (cpuid(0).a >= kIntel) list_caches(kIntel, found);
  return found;
}

#elif defined(__wasm__)
constexpr Isa kOnly = Isa::wasm;

Caches read_caches() { return {}; }
#else
constexpr Isa kOnly = Isa::neon;

#if defined(__APPLE__)
Caches read_caches() {
  static const char* const names[] = {"hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize"};
  Caches found;
  for (int i = 0; i < 3; i++) {
    int64_t bytes = 0;
    size_t size = sizeof bytes;
    if (sysctlbyname(names[i], &bytes, &size, nullptr, 0) == 0 && bytes > 0) found.level[i] = bytes;
  }
  return found;
}
#else
// One word of a file that the kernel makes; empty where there is none.
std::string word_of(int index, const char* name) {
  char path[80], word[32] = "";
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
  FILE* file = fopen(path, "r");
  if (!file) return word;
  if (fscanf(file, "%31s", word) != 1) word[0] = 0;
  fclose(file);
  return word;
}

Caches read_caches() {
  Caches found;
  for (int i = 0; i < 16; i++) {
    const std::string size = word_of(i, "size");  // as 512K or 4M
    const int level = atoi(word_of(i, "level").c_str());
    if (size.empty() || level < 1 || level > 3 || word_of(i, "type") == "Instruction") continue;
    const int64_t unit = size.back() == 'M' ? 1 << 20 : size.back() == 'K' ? 1 << 10 : 1;
    if (atoll(size.c_str()) > 0) found.level[level - 1] = atoll(size.c_str()) * unit;
  }
  return found;
}
#endif
#endif

Isa best_isa() {
#ifdef ANNEAL_X64
  if (isa_supported(Isa::avx512)) return Isa::avx512;
  return isa_supported(Isa::avx2) ? Isa::avx2 : Isa::sse2;
#else
  return kOnly;
#endif
}

struct Choice {
  Isa isa;
  bool unknown;
  std::string status;
};

const Isa* find_isa(const std::string& name) {
  for (const Isa& isa : kIsas) {
    if (name == isa_name(isa)) return &isa;
  }
  return nullptr;
}

Choice choose() {
  const Isa best = best_isa();
  const std::string detected = std::string("detected ") + isa_name(best);
  const char* request = getenv("ANNEAL_MAX_ISA");
  if (!request || !*request) return {best, false, detected};
  const std::string asked = std::string("ANNEAL_MAX_ISA=") + request;
  const Isa* wanted = find_isa(request);
  if (!wanted) return {best, true, detected + "; " + asked + " is unknown: expected avx512, avx2, sse2 or neon"};
  if (*wanted == best) return {best, false, detected + "; " + asked};
  // A maximum above what the machine has asks for nothing.
  if (!isa_supported(*wanted)) return {best, false, detected + "; " + asked + " is not supported here"};
  return {*wanted, false, detected + "; lowered by " + asked};
}

const Choice& choice() {
  static const Choice made = choose();
  return made;
}

}  // namespace

const Caches& caches() {
  static const Caches read = read_caches();
  return read;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::sse2: return "sse2";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::neon: return "neon";
    case Isa::wasm: return "wasm";
  }
  return "?";
}

bool isa_supported(Isa isa) {
#ifdef ANNEAL_X64
  static const Features features = detect();
  if (isa == Isa::avx512) return features.avx512;
  if (isa == Isa::avx2) return features.avx2;
  return isa == Isa::sse2;
#else
  return isa == kOnly;
#endif
}

Isa chosen_isa() { return choice().isa; }

const char* isa_status() { return choice().status.c_str(); }

bool isa_request_unknown() { return choice().unknown; }

}  // namespace anneal
