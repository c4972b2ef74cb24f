/** Sums, medians and percentiles of a column in float64, in NumPy's order of operations. Not here: scalers. */

const BLOCK = 128
const LANES = 8

/**
 * Σ value(i) over 0 … n-1 as NumPy adds numbers that lie side by side: eight lanes per block of at most 128, blocks in a
 * tree. Source: numpy's pairwise_sum.
 */
function pairwise(value: (i: number) => number, from: number, n: number): number {
  if (n > BLOCK) {
    const half = Math.floor(n / 2) - (Math.floor(n / 2) % LANES)
    return pairwise(value, from, half) + pairwise(value, from + half, n - half)
  }
  let i = 0
  let sum = 0
  if (n >= LANES) {
    const r = Array.from({ length: LANES }, (_, lane) => value(from + lane))
    for (i = LANES; i < n - (n % LANES); i++) r[i % LANES] += value(from + i)
    sum = r[0] + r[1] + (r[2] + r[3]) + (r[4] + r[5] + (r[6] + r[7]))
  }
  for (; i < n; i++) sum += value(from + i)
  return sum
}

/** Σ value(i), NaN left out: pairwise for values that lie side by side, else in order. */
export function sumOf(n: number, contiguous: boolean, value: (i: number) => number): number {
  const present = (i: number) => {
    const x = value(i)
    return Number.isNaN(x) ? 0 : x
  }
  if (contiguous) return pairwise(present, 0, n)
  let sum = 0
  for (let i = 0; i < n; i++) sum += present(i)
  return sum
}

/** The values that are no NaN, rising. */
export function sortedPresent(values: Float64Array): Float64Array {
  return values.filter(value => !Number.isNaN(value)).sort()
}

/** The middle of rising values, or the mean of the middle two; NaN of none. */
export function medianOf(sorted: Float64Array): number {
  const half = sorted.length >> 1
  if (sorted.length === 0) return NaN
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** The `percent` percentile of rising values, between two of them by their distance; NaN of none. Source: numpy.percentile. */
export function percentileOf(sorted: Float64Array, percent: number): number {
  if (sorted.length === 0) return NaN
  const at = (sorted.length - 1) * (percent / 100)
  const below = Math.floor(at)
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]]
  const t = at - below
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t
}

/** Scales with 1 in the place of those next to 0 (by default below 10 float64 epsilons), to divide by. */
export function withoutZeros(
  scale: Float64Array,
  isZero = (s: number, _c: number) => s < 10 * Number.EPSILON,
): Float64Array {
  return scale.map((s, c) => (isZero(s, c) ? 1 : s))
}
