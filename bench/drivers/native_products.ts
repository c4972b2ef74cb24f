/**
 * The products by this package's kernels on row-major operands, as the eager engine calls them: bare, without bias, mask or
 * update, like the peers'. Layouts are converted inside the call; the plan, which converts nothing, is measured in its steps.
 */
import type { ProductTrial } from '../trials.js'
import { version } from './anneal.js'
import { uniform } from './data.js'
import { readRequest, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'
import { internal } from './internal.js'

type Kernel = (...args: (Float32Array | number | null)[]) => void

const { addon } = await internal<{ addon: { isa: string; kernels: Record<string, Kernel> } }>('native/addon.js')
const { linear_fwd, linear_bwd_weight, linear_bwd_input } = addon.kernels

/** The twin of products.h: uniform in [-0.5, 0.5), the second operand from another part of the stream. */
const operand = (count: number, offset: number) => uniform(count, offset).map(value => value - 0.5)
const SECOND = 0x40000000

function productOf({ product, m, n, k }: ProductTrial): { out: Float32Array; run: () => void } {
  if (product === 'forward') {
    const [x, w, out] = [operand(m * k, 0), operand(n * k, SECOND), new Float32Array(m * n)]
    return { out, run: () => linear_fwd(x, w, null, out, m, k, n) }
  }
  if (product === 'dw') {
    const [dy, x, out] = [operand(m * n, 0), operand(m * k, SECOND), new Float32Array(n * k)]
    return { out, run: () => linear_bwd_weight(dy, x, out, null, m, k, n) }
  }
  const [dy, w, out] = [operand(m * n, 0), operand(n * k, SECOND), new Float32Array(m * k)]
  return { out, run: () => linear_bwd_input(dy, w, null, out, m, k, n) }
}

const { trial, seconds } = readRequest<ProductTrial>()
const { out, run } = productOf(trial)
const repeat = (calls: number) => {
  for (let i = 0; i < calls; i++) run()
}
const calls = runsPerBlock(seconds, await warmUp(repeat))
const figures = await timed(() => repeat(calls), calls)
const check = out.reduce((sum, value) => sum + value * value, 0) / out.length
writeAnswer({ version, unit: 'us', ...figures, check, settings: { isa: addon.isa } })
