/**
 * The addon as WebAssembly beside the native one: the same refusals, the same copies, memory that grows. Its numbers are
 * compared by scripts/platform_hashes.mjs. Where prebuilds/wasm32 is not there or of another build, the name says so.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addon } from '../src/native/addon.js'
import { faultOfFile } from '../src/native/inspect.js'
import { build } from '../src/native/kernels.gen.js'
import type { Signature } from '../src/native/types.js'
import { loadWasm } from '../src/native/wasm.js'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'prebuilds/wasm32')
const file = join(folder, 'anneal.wasm')
const fault = existsSync(file) ? faultOfFile(file, build) : 'not built: npm run prebuilds wasm32'

type Positional = (...args: unknown[]) => void

const kinds = {
  float32: Float32Array,
  int32: Int32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  float16: Uint16Array,
}

/** Arguments of a kernel whose dims are all `dim`, its buffers `extra` elements longer than it needs. */
function argumentsOf({ buffers, dims, scalars }: Signature, dim: number, extra = 0): unknown[] {
  const sizeOf = (padded: readonly boolean[], factor: number) =>
    padded.reduce((size, pad) => size * (pad ? Math.ceil(dim / 16) * 16 : dim), factor)
  const arrays = buffers.map(({ dtype, padded, factor }) => {
    const array = new kinds[dtype](sizeOf(padded, factor) + extra)
    if (dtype === 'int32') return array
    const size = dtype === 'uint8' || dtype === 'float16' ? 1e4 : 2 // of their integers, what fits
    return array.map((_: number, i: number) => Math.sin(i * 12.9898) * size)
  })
  return [...arrays, ...dims.map(() => dim), ...scalars.map(() => 0.5)]
}

/** A digest of what a kernel leaves in its buffers; any NaN is like any other. */
function resultOf(call: Positional, args: unknown[]): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('md5')
  call(...args)
  for (const arg of args) {
    if (ArrayBuffer.isView(arg))
      hash.update((arg as Float32Array).map(value => (Number.isNaN(value) ? Number.NaN : value)))
  }
  return hash.digest('hex')
}

function outcome(call: () => void): string {
  try {
    call()
    return 'done'
  } catch (error) {
    const { name, code, message } = error as Error & { code: string }
    return `${name} ${code}: ${message}`
  }
}

describe.skipIf(fault)(`WebAssembly${fault && ` (${fault})`}`, () => {
  const wasm = fault ? addon : loadWasm(folder)
  const native: typeof addon = require(join(root, 'build/anneal.node'))
  const kernels = Object.entries(addon.signatures)

  it('is the same build with one core', () => {
    expect([wasm.build, wasm.isa, wasm.cores]).toEqual([build, 'wasm', 1])
    expect(wasm.signatures).toEqual(native.signatures)
    expect(wasm.format).toEqual(native.format)
  })

  it.each(kernels)('%s refuses what the binary refuses, in its words', (name, signature) => {
    const [there, here] = [wasm, native].map(({ kernels }) => kernels[name as never] as Positional)
    const detached = new Float32Array(4096)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    const wrong = [
      undefined,
      null,
      'x',
      -1,
      1.5,
      2 ** 31,
      Number.NaN,
      new Float32Array(1),
      new Uint8Array(4096),
      detached,
    ]
    const good = argumentsOf(signature, 3)
    const cases = good.flatMap((_, at) => wrong.map(value => good.with(at, value)))
    for (const args of [...cases, [], good.slice(0, -1)]) {
      const copy = () => args.map(arg => (ArrayBuffer.isView(arg) && arg !== detached ? structuredClone(arg) : arg))
      expect(outcome(() => there!(...copy()))).toBe(outcome(() => here!(...copy())))
    }
  })

  it.each(kernels)('%s leaves what lies behind its outputs', (name, signature) => {
    const args = argumentsOf(signature, 3, 5)
    const before = structuredClone(args)
    ;(wasm.kernels[name as never] as Positional)(...args)
    for (const [b, { role }] of signature.buffers.entries()) {
      const [now, then] = [args[b], before[b]] as [Float32Array, Float32Array]
      if (role === 'in') expect(now).toEqual(then)
      else expect(now.subarray(-5)).toEqual(then.subarray(-5))
    }
  })

  it('gives the bits of SSE2, kernel by kernel, where no pads are', () => {
    const program = `
      const kinds = { float32: Float32Array, int32: Int32Array, float64: Float64Array, uint8: Uint8Array, float16: Uint16Array }
      ${argumentsOf}
      ${resultOf}
      const { signatures, kernels } = require(process.argv[1])
      const results = Object.entries(signatures).map(([name, line]) => [name, resultOf(kernels[name], argumentsOf(line, 16))])
      console.log(JSON.stringify(Object.fromEntries(results)))`
    const env = { ...process.env, ANNEAL_MAX_ISA: 'sse2' }
    const binary = join(root, 'build/anneal.node')
    const said = execFileSync(process.execPath, ['-e', program, binary], { env, encoding: 'utf8' })
    const wanted = JSON.parse(said) as Record<string, string>
    const differing = kernels.filter(([name, signature]) => {
      return resultOf(wasm.kernels[name as never] as Positional, argumentsOf(signature, 16)) !== wanted[name]
    })
    expect(differing.map(([name]) => name)).toEqual([])
  })

  it('refuses rows that are not there', () => {
    const args = argumentsOf(addon.signatures.gather_rows!, 3)
    const at = addon.signatures.gather_rows!.buffers.findIndex(({ dtype }) => dtype === 'int32')
    ;(args[at] as Int32Array)[1] = 3
    expect(outcome(() => (wasm.kernels.gather_rows as never as Positional)(...args))).toMatch(/rows below 3/)
  })

  it('takes an output that is an input, and arrays for which its memory grows', () => {
    const add = wasm.kernels.add as never as Positional
    const n = 6_000_000
    const [a, b] = [new Float32Array(n).fill(1.25), new Float32Array(n).fill(2)]
    add(a, b, a, n)
    expect(a.every(value => value === 3.25)).toBe(true)
  })

  const onWasm = (...args: string[]) => {
    const env = { ...process.env, ANNEAL_BACKEND: 'wasm', NODE_NO_WARNINGS: '1' }
    return execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' })
  }

  it('predicts what forward gives', () => {
    const program = `
      import { nn, predict, tensor } from './dist/index.js'
      const model = new nn.Sequential(new nn.Linear(5, 4), new nn.ReLU(), new nn.Linear(4, 2))
      const x = tensor(Float32Array.from({ length: 35 }, (_, i) => Math.sin(i)), { shape: [7, 5] })
      const [predicted, wanted] = [predict.sync(model, x, { batchSize: 3 }), model.forward(x)].map(y => [...y.data].join())
      console.log(predicted === wanted && /[1-9]/.test(wanted))`
    expect(onWasm('--input-type=module', '-e', program).trim()).toBe('true')
  })

  it('gives the 30 hashes of SSE2', () => {
    const said = onWasm('scripts/platform_hashes.mjs')
    expect(said).toMatch(/, wasm, Node \S+: 30 of 30 hashes equal/)
  })
})
