// The streams' own functions (base/libm.h, base/fma.h): the same values with and without an instruction for the fused
// multiply-add, the values recorded here on every processor and C library, and those of glibc 2.36, whose bits they aim
// at, where that is the C library.
//   libm_test [--draws N] [--seed S]      N random arguments per function and range, 200000 unless given
#include "libm_test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#include "../base/cpu.h"
#include "random_inputs.h"

namespace anneal::test {

extern const Libm libm_fused;
extern const Libm libm_unfused;

namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr int64_t kRecordedDraws = 20000;
constexpr uint64_t kRecorded = 0x4a571764549ed510;

double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, 8);
  return x;
}

uint64_t bits_of(double x) {
  if (isnan(x)) return 0x7ff8000000000000u;
  uint64_t bits;
  memcpy(&bits, &x, 8);
  return bits;
}

// A float64 with an exponent from `low` up to `low + count - 1`, of either sign.
double spread(uint64_t random, int low, int count) {
  const uint64_t exponent = static_cast<uint64_t>(1023 + low) + (random >> 52) % static_cast<uint64_t>(count);
  return from_bits((random & 0x800fffffffffffffu) | exponent << 52);
}

double unit(uint64_t random) { return static_cast<double>(random >> 11) * 0x1p-53; }

struct Function {
  const char* name;
  double (*Libm::*own)(double);
  double (*library)(double);
  double (*argument)(uint64_t random);
};

// What the streams ask for, then every float64 that the function takes.
const Function kFunctions[] = {
    {"log of a uniform", &Libm::log, ::log, [](uint64_t r) { return 1 - unit(r); }},
    {"log", &Libm::log, ::log, from_bits},
    {"log1p of a uniform", &Libm::log1p, ::log1p, [](uint64_t r) { return -unit(r); }},
    {"log1p", &Libm::log1p, ::log1p, [](uint64_t r) { return spread(r, -60, 120); }},
    {"sin of a full turn", &Libm::sin, ::sin, [](uint64_t r) { return kTwoPi * unit(r); }},
    {"sin", &Libm::sin, ::sin, [](uint64_t r) { return spread(r, -30, 56); }},
    {"cos of a full turn", &Libm::cos, ::cos, [](uint64_t r) { return kTwoPi * unit(r); }},
    {"cos", &Libm::cos, ::cos, [](uint64_t r) { return spread(r, -30, 56); }},
};

const double kSpecial[] = {0.0,
                           -0.0,
                           1,
                           -1,
                           0.5,
                           -0.5,
                           2,
                           INFINITY,
                           -INFINITY,
                           NAN,
                           0x1p-1074,
                           -0x1p-1074,
                           0x1p-1022,
                           0x1.fffffffffffffp1023,
                           0.9375,
                           0x1.109p0,
                           0x1p-20,
                           1 + 0x1p-20,
                           0x1p-26,
                           0x1p-27,
                           0x1p-29,
                           0x1p-54,
                           0x1p53,
                           0.126,
                           0x1.b6p-1,
                           0x1.368fdp1,
                           0x1.921fb54442d18p0,
                           0x1.921fb54442d18p1,
                           kTwoPi,
                           -0x1.2bec4p-2,
                           0x1.a827ap-2};
constexpr int kSpecials = sizeof kSpecial / sizeof *kSpecial;

bool takes(const Function& f, double x) { return (f.own != &Libm::sin && f.own != &Libm::cos) || fabs(x) < 105414350; }

struct Options {
  int64_t draws = 200000;
  uint64_t seed = 1;
};

int64_t failed = 0, passed = 0;

void expect(bool right, const char* what) {
  ++(right ? passed : failed);
  if (!right) printf("FAILED %s\n", what);
}

// Arguments that are hard for a fused multiply-add: any bits, sums that cancel, ties, the ends of the range.
void fma_arguments(Rng& rng, int64_t i, double* x) {
  static constexpr int kRange[][4] = {{-4, 8, -60, 120},
                                      {-540, 20, -1022, 40},
                                      {500, 20, 1000, 23},
                                      {-300, 300, -1000, 500}};
  const uint64_t r[] = {rng.next(), rng.next(), rng.next()};
  const auto& range = kRange[i / 3 % 4];
  const uint64_t kept = i % 3 == 1 ? ~uint64_t{0x3ffffff} : ~uint64_t{0};
  for (int k = 0; k < 3; k++)
    x[k] = i % 3 == 0 ? from_bits(r[k]) : spread(r[k] & kept, range[k < 2 ? 0 : 2], range[k < 2 ? 1 : 3]);
  if (i % 24 == 2) x[2] = -(x[0] * x[1]);
}

int64_t fma_differences(const Libm& a, const Libm& b, const double* x) {
  const float f[] = {static_cast<float>(x[0]), static_cast<float>(x[1]), static_cast<float>(x[2])};
  return (bits_of(a.fma(x[0], x[1], x[2])) != bits_of(b.fma(x[0], x[1], x[2]))) +
         (bits_of(a.fmaf(f[0], f[1], f[2])) != bits_of(b.fmaf(f[0], f[1], f[2])));
}

void compare_fma(const Libm& a, const Libm& b, const Options& options) {
  Rng rng(options.seed);
  int64_t differences = 0;
  double x[3];
  for (int64_t i = 0; i < options.draws; i++) {
    fma_arguments(rng, i, x);
    differences += fma_differences(a, b, x);
  }
  for (int i = 0; i < kSpecials * kSpecials * kSpecials; i++) {
    const double special[] = {kSpecial[i % kSpecials], kSpecial[i / kSpecials % kSpecials],
                              kSpecial[i / kSpecials / kSpecials]};
    differences += fma_differences(a, b, special);
  }
  printf("fma, instruction and software: %" PRId64 " of %" PRId64 " differ\n", differences, options.draws);
  expect(differences == 0, "fma in software equals the instruction");
}

template <class Other>
int64_t differences(const Function& f, const Libm& own, Other other, const Options& options) {
  Rng rng(options.seed);
  int64_t count = 0;
  for (int64_t i = -kSpecials; i < options.draws; i++) {
    const double x = i < 0 ? kSpecial[i + kSpecials] : f.argument(rng.next());
    if (takes(f, x) && bits_of((own.*f.own)(x)) != bits_of(other(x)) && ++count == 1) {
      printf("%s(%a): %a and %a\n", f.name, x, (own.*f.own)(x), other(x));
    }
  }
  return count;
}

bool is_aimed_at() {
#if defined(__GLIBC__) && defined(__x86_64__)
  return isa_supported(Isa::avx2) && strcmp(gnu_get_libc_version(), "2.36") == 0;
#else
  return false;
#endif
}

void compare_with_library(const Libm& own, const Options& options) {
  for (const Function& f : kFunctions) {
    const int64_t count = differences(f, own, f.library, options);
    printf("%s and the C library's: %" PRId64 " of %" PRId64 " differ\n", f.name, count, options.draws);
    if (is_aimed_at()) expect(count == 0, f.name);
  }
}

// FNV-1a over the values at fixed arguments.
uint64_t hash_of(const Libm& own) {
  Rng rng(36);
  uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](double value) {
    for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ (bits_of(value) >> shift & 255)) * 0x100000001b3u;
  };
  for (const Function& f : kFunctions) {
    for (int64_t i = -kSpecials; i < kRecordedDraws; i++) {
      const double x = i < 0 ? kSpecial[i + kSpecials] : f.argument(rng.next());
      if (takes(f, x)) add((own.*f.own)(x));
    }
  }
  double x[3];
  for (int64_t i = 0; i < kRecordedDraws; i++) {
    fma_arguments(rng, i, x);
    add(own.fma(x[0], x[1], x[2]));
    add(own.fmaf(static_cast<float>(x[0]), static_cast<float>(x[1]), static_cast<float>(x[2])));
  }
  return hash;
}

void check_recorded(const char* name, const Libm& own) {
  const uint64_t hash = hash_of(own);
  printf("%s: hash %016" PRIx64 "\n", name, hash);
  expect(hash == kRecorded, "the values recorded");
}

bool has_instruction() {
#if defined(__x86_64__)
  return isa_supported(Isa::avx2);
#else
  return isa_supported(Isa::neon);
#endif
}

void run(const Options& options) {
  check_recorded("in software", libm_unfused);
#if defined(__x86_64__) || defined(__aarch64__)
  if (has_instruction()) {
    check_recorded("by instruction", libm_fused);
    compare_fma(libm_fused, libm_unfused, options);
    return compare_with_library(libm_fused, options);
  }
#endif
  compare_with_library(libm_unfused, options);
}

}  // namespace
}  // namespace anneal::test

int main(int argc, char** argv) {
  anneal::test::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const long long value = atoll(argv[i + 1]);
    if (strcmp(argv[i], "--draws") == 0) options.draws = value;
    if (strcmp(argv[i], "--seed") == 0) options.seed = static_cast<uint64_t>(value);
  }
  printf("libm_test: seed %" PRIu64 ", %" PRId64 " draws\n", options.seed, options.draws);
  anneal::test::run(options);
  printf("libm_test: %" PRId64 " passed, %" PRId64 " failed\n", anneal::test::passed, anneal::test::failed);
  return anneal::test::failed ? 1 : 0;
}
