/** Curves as Plot's marks: bands below lines below markers, so that no line crosses out a marker. */

import type { Markish } from '@observablehq/plot'
import type { Axis, ScaleType } from './axis.js'
import type { Plot } from './chart.js'
import { cutBand, cutLine, inRange, type Range, type Vertex } from './cut.js'
import type { Curve } from './series.js'
import { ink, markerPaint } from './style.js'

/** The axes between which curves are drawn; what is beyond the y axis is cut off. */
export interface Plane {
  x: Axis
  y: Axis
}

export function curveMarks(plot: Plot, curves: readonly Curve[], plane: Plane): Markish[] {
  const lines = curves.filter(curve => !curve.scatter)
  const banded = lines.filter(({ deviation }) => deviation.length)
  return [
    ...banded.map(curve => bandMark(plot, curve, plane, Math.max(0.07, 0.24 / banded.length))),
    ...lines.map(curve => {
      const { color: stroke, dash: strokeDasharray } = curve.style
      return plot.line(linePoints(curve, plane), { stroke, strokeWidth: 2.2, strokeDasharray })
    }),
    ...lines.map((curve, i) => {
      const { symbol } = curve.style
      return plot.dot(spread(shown(curve, plane), i, lines.length), { symbol, r: 4.5, ...markerPaint(curve.style) })
    }),
    ...curves.filter(curve => curve.scatter).map(curve => scatterMark(plot, curve, plane)),
  ]
}

/** A curve that only gives the others their place. */
export function backgroundMark(plot: Plot, curve: Curve, plane: Plane): Markish {
  return plot.line(linePoints(curve, plane), { stroke: ink.behind, strokeWidth: 1.2 })
}

/** A single point is one that is pointed out; many are a cloud in which density shows. */
function scatterMark(plot: Plot, curve: Curve, plane: Plane): Markish {
  const { color, symbol } = curve.style
  const points = shown(curve, plane)
  if (points.length === 1) return plot.dot(points, { symbol, r: 6, ...markerPaint(curve.style) })
  return plot.dot(points, { r: 3, fill: color, fillOpacity: Math.max(0.25, Math.min(0.8, 60 / points.length)) })
}

/** From the values of the axes to a plane in which curves are straight between their points, and back. */
function scaled(type: ScaleType): { to: (value: number) => number; back: (value: number) => number } {
  return type === 'log' ? { to: Math.log, back: Math.exp } : { to: value => value, back: value => value }
}

function cut(vertices: readonly Vertex[], plane: Plane, by: (vertices: Vertex[], range: Range) => Vertex[]): Vertex[] {
  const [x, y] = [scaled(plane.x.type), scaled(plane.y.type)]
  const range: Range = [y.to(plane.y.domain[0]), y.to(plane.y.domain[1])]
  const inPlane = vertices.map(vertex => vertex.map((value, i) => (i ? y : x).to(value)))
  return by(inPlane, range).map(vertex => vertex.map((value, i) => (i ? y : x).back(value)))
}

function linePoints(curve: Curve, plane: Plane): [number, number][] {
  return cut(curve.step ? held(curve.points) : curve.points, plane, cutLine) as [number, number][]
}

function bandMark(plot: Plot, { points, deviation, step, style }: Curve, plane: Plane, fillOpacity: number): Markish {
  // Below zero a logarithmic axis has nothing: there the band goes down to the axis.
  const bottom = plane.y.type === 'log' ? plane.y.domain[0] : -Infinity
  const edges = points.map(([x, y], i) => [x, Math.max(bottom, y - deviation[i]), y + deviation[i]])
  const band = cut(step ? held(edges) : edges, plane, cutBand)
  return plot.areaY(band, { x: '0', y1: '1', y2: '2', fill: style.color, fillOpacity })
}

/** Every value held until the next x. */
function held(vertices: readonly Vertex[]): Vertex[] {
  return vertices.flatMap((vertex, i) => (i ? [[vertex[0], ...vertices[i - 1].slice(1)], vertex] : [vertex]))
}

/** The points between the ends of the y axis. */
function shown({ points }: Curve, { y: { domain } }: Plane): [number, number][] {
  return points.filter(([x, y]) => Number.isFinite(x) && inRange(y, domain))
}

/** At most nine markers a curve, each curve at places of its own, so that curves which coincide can still be told apart. */
function spread(points: readonly [number, number][], index: number, count: number): readonly [number, number][] {
  const stride = Math.max(1, Math.ceil(points.length / 9), Math.min(count, Math.floor(points.length / 3)))
  const first = Math.floor((index * stride) / count)
  return points.filter((_, i) => i % stride === first)
}
