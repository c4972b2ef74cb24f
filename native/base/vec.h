// F16: a word of 16 floats, the same on every instruction set (one zmm, two ymm, four xmm or four q registers), so that
// each kernel body is written once and its bits are equal wherever fma is fused. An ISA unit includes exactly one
// vec_<isa>.h, which defines the native word W, and includes this file from there. Everything is static: a weak symbol
// in an ISA unit could be linked into the code of an older processor.
//
// The rules that make the bits equal:
//   fma(a, b, c)   a * b + c, rounded once; on SSE2, which lacks it, twice
//   max(a, b)      a > b ? a : b, so b when either is NaN; min likewise with <
//   sum(a)         halving tree over the lanes: j + (j + 8), then 4, 2, 1
// Not here: anything that knows what the numbers mean.
#pragma once

namespace anneal {
namespace {

constexpr int kLanes = 16;
constexpr int kWords = kLanes / kWordLanes;

#define ANNEAL_EACH_WORD for (int i = 0; i < kWords; ++i)

struct F16 {
  W w[kWords];
};

// One bit pattern or mask per lane, as compares make them.
struct M16 {
  WM w[kWords];
};

ANNEAL_INLINE F16 load(const float* p) {
  F16 r;
  ANNEAL_EACH_WORD r.w[i] = word::load(p + i * kWordLanes);
  return r;
}

ANNEAL_INLINE void store(float* p, F16 a) { ANNEAL_EACH_WORD word::store(p + i * kWordLanes, a.w[i]); }

// How many of the first n lanes fall into word i.
ANNEAL_INLINE int lanes_of_word(int i, int n) {
  const int rest = n - i * kWordLanes;
  return rest < 0 ? 0 : rest > kWordLanes ? kWordLanes : rest;
}

// The first n lanes, n in [0, 16], zero in the others; touches no memory beyond them.
ANNEAL_INLINE F16 load_first(const float* p, int n) {
  F16 r;
  ANNEAL_EACH_WORD r.w[i] = word::load_first(p + i * kWordLanes, lanes_of_word(i, n));
  return r;
}

ANNEAL_INLINE void store_first(float* p, F16 a, int n) {
  ANNEAL_EACH_WORD word::store_first(p + i * kWordLanes, a.w[i], lanes_of_word(i, n));
}

ANNEAL_INLINE F16 broadcast(float s) {
  F16 r;
  ANNEAL_EACH_WORD r.w[i] = word::set1(s);
  return r;
}

ANNEAL_INLINE F16 zero() { return broadcast(0.0f); }

#define ANNEAL_BINARY(name, call)                         \
  ANNEAL_INLINE F16 name(F16 a, F16 b) {                  \
    F16 r;                                                \
    ANNEAL_EACH_WORD r.w[i] = word::call(a.w[i], b.w[i]); \
    return r;                                             \
  }
ANNEAL_BINARY(operator+, add)
ANNEAL_BINARY(operator-, sub)
ANNEAL_BINARY(operator*, mul)
ANNEAL_BINARY(operator/, div)
ANNEAL_BINARY(max, max)
ANNEAL_BINARY(min, min)
ANNEAL_BINARY(add_bits, add_bits)
#undef ANNEAL_BINARY

ANNEAL_INLINE F16 sqrt(F16 a) {
  ANNEAL_EACH_WORD a.w[i] = word::sqrt(a.w[i]);
  return a;
}

ANNEAL_INLINE F16 flip_sign(F16 a) {
  ANNEAL_EACH_WORD a.w[i] = word::flip_sign(a.w[i]);
  return a;
}

ANNEAL_INLINE F16 fma(F16 a, F16 b, F16 c) {
  ANNEAL_EACH_WORD c.w[i] = word::fma(a.w[i], b.w[i], c.w[i]);
  return c;
}

#define ANNEAL_COMPARE(name)                              \
  ANNEAL_INLINE M16 name(F16 a, F16 b) {                  \
    M16 r;                                                \
    ANNEAL_EACH_WORD r.w[i] = word::name(a.w[i], b.w[i]); \
    return r;                                             \
  }
ANNEAL_COMPARE(less)           // false when either is NaN
ANNEAL_COMPARE(less_or_equal)  // likewise
ANNEAL_COMPARE(equal)          // likewise
ANNEAL_COMPARE(unordered)      // true when either is NaN
#undef ANNEAL_COMPARE

// a where the mask is set, else b.
ANNEAL_INLINE F16 select(M16 m, F16 a, F16 b) {
  F16 r;
  ANNEAL_EACH_WORD r.w[i] = word::select(m.w[i], a.w[i], b.w[i]);
  return r;
}

// The lanes' bits as integers, shifted; zeros come in from the right, the sign from the left.
template <int kBits>
ANNEAL_INLINE F16 shift_left_bits(F16 a) {
  ANNEAL_EACH_WORD a.w[i] = word::shift_left_bits<kBits>(a.w[i]);
  return a;
}

template <int kBits>
ANNEAL_INLINE F16 shift_right_bits(F16 a) {
  ANNEAL_EACH_WORD a.w[i] = word::shift_right_bits<kBits>(a.w[i]);
  return a;
}

ANNEAL_INLINE F16 and_bits(F16 a, F16 b) {
  ANNEAL_EACH_WORD a.w[i] = word::and_bits(a.w[i], b.w[i]);
  return a;
}

// An integer in every lane's bits.
ANNEAL_INLINE F16 broadcast_bits(int32_t bits) {
  F16 r;
  ANNEAL_EACH_WORD r.w[i] = word::set1_bits(bits);
  return r;
}

// Integers in the lanes' bits to the floats of the same value, exact up to 2^24.
ANNEAL_INLINE F16 float_of_bits(F16 a) {
  ANNEAL_EACH_WORD a.w[i] = word::float_of_bits(a.w[i]);
  return a;
}

// Sixteen unsigned integers of 8 or 16 bits in the lanes' bits.
template <class T>
ANNEAL_INLINE F16 load_bits(const T* p) {
  F16 r;
  word::load_bits(p, r.w);
  return r;
}

#ifdef ANNEAL_HAS_SCALE
// a * 2^n for integers n, rounded once.
ANNEAL_INLINE F16 scale(F16 a, F16 n) {
  ANNEAL_EACH_WORD a.w[i] = word::scale(a.w[i], n.w[i]);
  return a;
}
#endif

ANNEAL_INLINE float sum(F16 a) { return word::sum(a.w); }

// Sixteen rows by four columns between memory, where rows are contiguous, and words, where columns are. A word's
// quarters come from rows four apart, so that turning 4x4 blocks within quarters is all there is to it.
struct FourColumns {
  F16 column[4];
};

ANNEAL_INLINE void turn4(FourColumns& t) {
  ANNEAL_EACH_WORD word::turn4(t.column[0].w[i], t.column[1].w[i], t.column[2].w[i], t.column[3].w[i]);
}

constexpr int kQuarters = kWordLanes / 4;

ANNEAL_INLINE FourColumns load_columns4(const float* p, ptrdiff_t row) {
  FourColumns t;
  for (int r = 0; r < 4; ++r) {
    ANNEAL_EACH_WORD t.column[r].w[i] = word::load_quarters(p + (r + 4 * i * kQuarters) * row, 4 * row);
  }
  turn4(t);
  return t;
}

ANNEAL_INLINE void store_columns4(float* p, ptrdiff_t row, FourColumns t) {
  turn4(t);
  for (int r = 0; r < 4; ++r) {
    ANNEAL_EACH_WORD word::store_quarters(p + (r + 4 * i * kQuarters) * row, 4 * row, t.column[r].w[i]);
  }
}

// The same with rows that lie anywhere, the first n of four columns of each; p: column 0 of row 0, row: 16 row numbers.
ANNEAL_INLINE FourColumns gather_columns4(const float* p, const int32_t* row, ptrdiff_t width, int n) {
  FourColumns t;
  for (int r = 0; r < 4; ++r) {
    ANNEAL_EACH_WORD t.column[r].w[i] = word::gather_quarters(p, row + r + 4 * i * kQuarters, width, n);
  }
  turn4(t);
  return t;
}

// n columns, a word of 16 rows each, to rows of 16; 4 (kFours - 1) <= n <= 4 kFours.
template <int kFours>
ANNEAL_INLINE void store_rows_of_fours(const float* columns, int64_t n, float* to) {
  FourColumns four[4];
  for (int c = 0; c < 16; ++c) {
    const bool within = c < 4 * (kFours - 1) || (c < 4 * kFours && c < n);
    four[c / 4].column[c % 4] = within ? load(columns + c * kLanes) : zero();
  }
  for (int f = 0; f < kFours; ++f) turn4(four[f]);
  for (int r = 0; r < 4; ++r) {
    ANNEAL_EACH_WORD {
      for (int j = 0; j < 4; j += kQuarters) {
        W part[kQuarters];
        for (int q = 0; q < kQuarters; ++q) part[q] = four[j + q].column[r].w[i];
        word::turn_quarters<kFours>(part);
        for (int q = 0; q < kQuarters; ++q) word::store(to + (r + 4 * (i * kQuarters + q)) * kLanes + 4 * j, part[q]);
      }
    }
  }
}

// The same of up to 16 columns. Rows are zero past them, and written whole: who reads one at once would wait for
// narrower stores.
ANNEAL_INLINE void store_rows16(const float* columns, int64_t n, float* to) {
  if (n <= 4) return store_rows_of_fours<1>(columns, n, to);
  if (n <= 8) return store_rows_of_fours<2>(columns, n, to);
  if (n <= 12) return store_rows_of_fours<3>(columns, n, to);
  store_rows_of_fours<4>(columns, n, to);
}

// The lanes in memory, for the scalar ends of reductions.
struct Lanes {
  float at[kLanes];
};

ANNEAL_INLINE Lanes lanes(F16 a) {
  Lanes r;
  store(r.at, a);
  return r;
}

ANNEAL_INLINE float largest(F16 a) {
  const Lanes l = lanes(a);
  float r = l.at[0];
  for (int i = 1; i < kLanes; ++i) r = l.at[i] > r ? l.at[i] : r;
  return r;
}

}  // namespace
}  // namespace anneal
