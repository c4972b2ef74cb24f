/**
 * Data and starting weights of the step trials, from one integer hash, equal bit for bit in every language (peer.py and
 * products.h have the twins). Not random numbers to train on in earnest.
 */
import type { StepTrial } from '../trials.js'

export interface Layer {
  fanIn: number
  fanOut: number
  /** [fanOut, fanIn] */
  weight: Float32Array
  /** [fanOut] */
  bias: Float32Array
}

const WEIGHTS_OFFSET = 0x40000000

/** The finaliser of MurmurHash3 over offset, offset + 1, ... as [count] float32 in [0, 1). */
export function uniform(count: number, offset = 0): Float32Array {
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    let h = i + offset
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    out[i] = ((h ^ (h >>> 16)) >>> 8) * 2 ** -24
  }
  return out
}

/**
 * x: [rows, features] of variance one. y: [rows] the class, the band that the row's first feature falls into; for bce one of
 * two as float32, for mse that feature itself.
 */
export function dataset({ widths, rows, loss }: StepTrial): { x: Float32Array; y: Int32Array | Float32Array } {
  const features = widths[0]
  const classes = loss.name === 'bce' ? 2 : widths[widths.length - 1]
  const x = uniform(rows * features)
  const bands = Int32Array.from({ length: rows }, (_, row) => Math.floor(x[row * features] * classes))
  const scale = Math.fround(Math.sqrt(12))
  for (let i = 0; i < x.length; i++) x[i] = (x[i] - 0.5) * scale
  if (loss.name === 'mse') return { x, y: Float32Array.from(bands, (_, row) => x[row * features]) }
  return { x, y: loss.name === 'bce' ? Float32Array.from(bands) : bands }
}

/** Weights and biases uniform within 1/sqrt(fanIn), as nn.Linear's own start is. */
export function layers({ widths }: Pick<StepTrial, 'widths'>): Layer[] {
  let offset = WEIGHTS_OFFSET
  return widths.slice(1).map((fanOut, i) => {
    const fanIn = widths[i]
    const u = uniform(fanOut * (fanIn + 1), offset)
    offset += u.length
    const bound = Math.fround(Math.sqrt(fanIn))
    for (let j = 0; j < u.length; j++) u[j] = (2 * u[j] - 1) / bound
    return { fanIn, fanOut, weight: u.slice(0, fanOut * fanIn), bias: u.slice(fanOut * fanIn) }
  })
}
