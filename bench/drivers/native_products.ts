/**
 * The products by this package's kernels as a plan runs them: on panels, forward with bias and ReLU, the input gradient
 * with the mask, the weight gradient with SGD's update. The peers get the bare product, which favours them. Conversions to
 * panels come before the clock, as in a plan, which keeps its operands there.
 */
import type { ProductTrial } from '../trials.js'
import { version } from './anneal.js'
import { uniform } from './data.js'
import { readRequest, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'
import { internal } from './internal.js'

type Arg = Float32Array | Float64Array | number | null
type Kernel = (args: Record<string, Arg>) => void

const { addon } = await internal<{ addon: { isa: string; kernels: Record<string, Kernel> } }>('native/addon.js')
const { kernels } = addon

/** The twin of products.h: uniform in [-0.5, 0.5), the second operand from another part of the stream. */
const operand = (count: number, offset: number) => uniform(count, offset).map(value => value - 0.5)
const SECOND = 0x40000000
const padded = (n: number) => Math.ceil(n / 16) * 16

const PAGE = 65536
declare const WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } }

/** Zeros that begin with a cache line, as in a plan: memory of WebAssembly begins with a page. */
function aligned(length: number): Float32Array {
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil((4 * length) / PAGE) })
  return new Float32Array(buffer, 0, length)
}

/** Activations [rows, width] in panels, and back. */
function panels(rows: number, width: number, values?: Float32Array): Float32Array {
  const packed = aligned(rows * padded(width))
  if (values) kernels.pack_panels({ x: values, y: packed, m: rows, k: width })
  return packed
}

/** Weights [n, k] in panels. */
function weights(n: number, k: number, values?: Float32Array): Float32Array {
  const packed = aligned(padded(n) * k)
  if (values) kernels.pack_weight_panels({ w: values, y: packed, n, k })
  return packed
}

interface Product {
  run(): void
  /** The bare product, row-major, to be compared with the peers'. */
  result(): Float32Array
}

function forward({ m, n, k }: ProductTrial): Product {
  const [x, w, y] = [panels(m, k, operand(m * k, 0)), weights(n, k, operand(n * k, SECOND)), panels(m, n)]
  const call = (b: Float32Array | null, relu: number) => kernels.linear_panel_fwd({ x, w, b, y, m, k, n, relu })
  const bias = panels(1, n)
  return {
    run: () => call(bias, 1),
    result() {
      call(null, 0)
      const out = new Float32Array(m * n)
      kernels.unpack_panels({ x: y, y: out, m, k: n })
      return out
    },
  }
}

function inputGradient({ m, n, k }: ProductTrial): Product {
  const [dy, w, dx] = [panels(m, n, operand(m * n, 0)), weights(n, k, operand(n * k, SECOND)), panels(m, k)]
  const active = panels(m, k).fill(1)
  const call = (a: Float32Array | null) => kernels.linear_panel_input_bwd({ dy, w, a, dx, m, k, n })
  return {
    run: () => call(active),
    result() {
      call(null)
      const out = new Float32Array(m * k)
      kernels.unpack_panels({ x: dx, y: out, m, k })
      return out
    },
  }
}

function weightGradient({ m, n, k }: ProductTrial): Product {
  const [dy, x] = [panels(m, n, operand(m * n, 0)), panels(m, k, operand(m * k, SECOND))]
  const [w, b, scalars] = [weights(n, k), panels(1, n), Float64Array.of(1e-9, 0, 0, 0, 0, 0, 0)]
  return {
    run: () =>
      kernels.linear_panel_weight_bwd_sgd_update({
        dy,
        x,
        w,
        mw: null,
        b,
        mb: null,
        scalars,
        scalars_b: scalars,
        m,
        k,
        n,
      }),
    result() {
      const [dw, out] = [weights(n, k), new Float32Array(n * k)]
      kernels.linear_panel_weight_bwd({ dy, x, dw, db: null, m, k, n })
      kernels.unpack_weight_panels({ x: dw, w: out, n, k })
      return out
    },
  }
}

const products = { forward, dx: inputGradient, dw: weightGradient }

const { trial, seconds } = readRequest<ProductTrial>()
const { run, result } = products[trial.product](trial)
const repeat = (calls: number) => {
  for (let i = 0; i < calls; i++) run()
}
const calls = runsPerBlock(seconds, await warmUp(repeat))
const figures = await timed(() => repeat(calls), calls)
const check = result().reduce((sum, value) => sum + value * value, 0) / result().length
writeAnswer({ version, unit: 'us', ...figures, check, settings: { isa: addon.isa } })
