/** The error function in float64, which JavaScript lacks. Not here: the kernels' own (native/base/vec_math.h). */

/** `2/√π ∫₀ˣ e^(-t²) dt` to about 1e-15: the series `e^(-x²) Σ (2x²)ⁿ x / (1·3·…·(2n+1))`, whose terms have one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x)
  let [term, sum] = [x, x]
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}
