// Random streams: one MT19937 engine and the two faces that draw from it, PyTorch's CPU generator and NumPy's legacy
// RandomState, each bit for bit. Pure C++ on an engine the caller owns: reentrant, no globals, no Node.
// Not here: argument checks (the binding's), and which stream belongs to whom (src/streams).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <memory>

namespace anneal {

// The Mersenne Twister of Matsumoto and Nishimura (1998), 32-bit words.
struct Mt19937 {
  static constexpr int kWords = 624;

  uint32_t word[kWords];
  int32_t position;  // the next word to hand out; kWords when the block is used up

  void seed(uint32_t value);                      // one integer: PyTorch's manual_seed, NumPy's seed(int)
  void seed(const uint32_t* key, size_t length);  // init_by_array: NumPy's seed([..]); length >= 1

  // Several engines, each by one integer. Seeding is a chain of multiplications: eight side by side take the time of
  // two.
  static constexpr int kTogether = 8;
  static void seed_each(Mt19937 (&engines)[kTogether], const uint32_t (&values)[kTogether]);

  uint32_t next32() {
    if (position >= kWords) twist();
    return tempered(word[position++]);
  }

  // out[i] = next32()
  void fill32(uint32_t* out, int64_t n);

  static uint32_t tempered(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }

  // The first word is the high half.
  uint64_t next64() {
    uint64_t high = next32();
    return (high << 32) | next32();
  }

 private:
  void twist();
};

// Engines seeded with 64 bits of another one. Epochs draw two times 64 bits each, the second for such a seed: coming
// ones are foreseen by that, and seeded together.
class ForeseenEngines {
 public:
  // An engine seeded with the next 64 bits of `engine`, until the next call.
  Mt19937& next(Mt19937& engine);

 private:
  uint32_t value_[Mt19937::kTogether];
  Mt19937 engine_[Mt19937::kTogether];
  int at_ = Mt19937::kTogether;  // the one for the next call, if its value is what is drawn then
};

// An engine with what a seed and a pair of normals leave behind.
struct RandomStream {
  Mt19937 engine;
  double kept = 0;  // the second normal of a pair, not yet handed out
  bool has_kept = false;
  uint64_t seed = 0;  // as given; only its low 32 bits reach the engine
  std::unique_ptr<ForeseenEngines> foreseen;

  RandomStream() { reseed(0); }
  void reseed(uint64_t value);
  void reseed(const uint32_t* key, size_t length);
};

// PyTorch's CPU generator. T: float or double (bernoulli and the integers also int32_t, uint8_t).
namespace torch_rng {

// out[i] = fma(x, to - from, from), x uniform in [0, 1) with 24 (float) or 53 (double) bits.
template <typename T>
void uniform(Mt19937& engine, T* out, int64_t n, double from, double to);

// Fewer than 16 elements: one by one with the kept value, else Box-Muller in blocks of 16 as PyTorch's AVX2 kernel.
template <typename T>
void normal(RandomStream& stream, T* out, int64_t n, double mean, double std);

// out[i] = 1 with probability p, else 0; two words per element.
template <typename T>
void bernoulli(Mt19937& engine, T* out, int64_t n, double p);

// Integers in [low, low + span), span >= 1.
template <typename T>
void integers(Mt19937& engine, T* out, int64_t n, int64_t low, uint64_t span);

// random_() without bounds: integers in [0, 2^31) for int32_t, [0, 2^24] for float, [0, 2^53] for double.
template <typename T>
void integers_full(Mt19937& engine, T* out, int64_t n);

// A permutation of 0 .. n-1. n <= 2^31 - 1.
void randperm(Mt19937& engine, int32_t* out, int64_t n);

// randperm of an engine of its own, seeded with the next 64 bits: the order of an epoch whose loader has no generator.
void seeded_randperm(RandomStream& stream, int32_t* out, int64_t n);

}  // namespace torch_rng

// NumPy's legacy RandomState.
namespace numpy_rng {

// Uniform in [0, 1) with 53 bits.
double uniform01(Mt19937& engine);

// out[i] = low + (high - low) * uniform01()
void uniform(Mt19937& engine, double* out, int64_t n, double low, double high);

// out[i] = mean + std * gauss(), the polar method with a kept value.
void normal(RandomStream& stream, double* out, int64_t n, double mean, double std);

// An integer in [0, max] by masked rejection.
uint64_t interval(Mt19937& engine, uint64_t max);

// Integers in [low, high), low < high.
void integers(Mt19937& engine, int32_t* out, int64_t n, int64_t low, int64_t high);

// Shuffles in place, from the end.
void shuffle(Mt19937& engine, int32_t* values, int64_t n);

// Rows of mean + Z * factor. out: [n,d] row-major, mean: [d], cov: [d,d] symmetric positive semi-definite. False, with
// nothing drawn, if d > 2 and cov is not diagonal: the signs of that decomposition are not reproduced.
bool multivariate_normal(RandomStream& stream, double* out, int64_t n, const double* mean, const double* cov,
                         int64_t d);

}  // namespace numpy_rng
}  // namespace anneal
