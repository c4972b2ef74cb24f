/**
 * Curves and bands cut to a range of y, by geometry. Not by a clip path: one round a line without height makes the
 * renderer of PNGs abort the process, and one round a marker cuts it in half. Knows no scales: the picture's own plane.
 */

/** x, then the y of a line, or the lower and the upper y of a band. */
export type Vertex = readonly number[]

export type Range = readonly [low: number, high: number]

/** Rounding errors of ticks and crossings aside. */
export function inRange(y: number, [low, high]: Range): boolean {
  const tolerance = (high - low) * 1e-9
  return y >= low - tolerance && y <= high + tolerance
}

/** The vertices with one more wherever a side crosses an end of the range. */
function withCrossings(vertices: readonly Vertex[], range: Range): Vertex[] {
  return vertices.flatMap((to, i) => {
    const from = vertices[i - 1] ?? to
    const parts = range.flatMap(end => to.slice(1).map((y, k) => (end - from[k + 1]) / (y - from[k + 1])))
    const crossed = parts.filter(part => part > 0 && part < 1).sort((a, b) => a - b)
    return [...crossed.map(part => to.map((value, k) => from[k] + part * (value - from[k]))), to]
  })
}

/** The line within the range; what is beyond is a gap. */
export function cutLine(vertices: readonly Vertex[], range: Range): Vertex[] {
  return withCrossings(vertices, range).map(([x, y]) => [x, inRange(y, range) ? y : NaN])
}

/** The band within the range. */
export function cutBand(vertices: readonly Vertex[], range: Range): Vertex[] {
  const clamp = (y: number) => Math.min(range[1], Math.max(range[0], y))
  return withCrossings(vertices, range).map(([x, low, high]) => [x, clamp(low), clamp(high)])
}
