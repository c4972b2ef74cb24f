/** The few statistics the benches need. */

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median: expected at least one value but received none')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** How far a typical value strays from the median, as a fraction of it (median absolute deviation). */
export function spread(values: readonly number[]): number {
  const center = median(values)
  return median(values.map(value => Math.abs(value - center))) / center
}
