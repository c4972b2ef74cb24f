/**
 * The addon's Store and Plan called directly: programs against direct kernel calls, runs on and off the event loop, and
 * whatever JavaScript can hold as arguments. Not here: malformed programs one by one (native/test/plan_refusals.cc).
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { addon } from '../src/native/addon.js'
import type { NativePlan, NativeStore } from '../src/native/types.js'
import { hostile } from './helpers/hostile.js'

type Place = [region: number, offset: number]
const { regions } = addon.format
const none: Place = [regions.absent, 0]
const arena = (offset: number): Place => [regions.arena, offset]
const order = (offset: number): Place => [regions.order, offset]
const scalars = (offset: number): Place => [regions.scalars, offset]
const losses = (offset: number): Place => [regions.losses, offset]
const counts = (offset: number): Place => [regions.counts, offset]
const draws = (offset: number): Place => [regions.draws, offset]
const store = (i: number, offset: number): Place => [regions.store + i, offset]

/** The numbers of one call. `rest`: dims, then scalars. */
function call(kernel: string, places: Place[], ...rest: number[]): number[] {
  return [addon.signatures[kernel].id, ...places.flat(), ...rest]
}

/** `perStep`: order, scalars, losses, counts and draws; no calls prefetch, no rows. */
const program = (perStep: [number, number, number, number, number?], ...calls: number[][]) =>
  Float64Array.from([...perStep.slice(0, 4), perStep[4] ?? 0, 0, 0, 0, ...calls.flat()] as number[])
const noOrder = new Int32Array(0)
const noScalars = new Float64Array(0)

/** x += 1 in arena[0, n), one word of it as the step's loss. */
function counting(n: number): { plan: NativePlan; ones: NativeStore } {
  const ones = new addon.Store('float32', n)
  ones.write(0, new Float32Array(n).fill(1))
  const step = program(
    [0, 0, 1, 0],
    call('add', [arena(0), store(0, 0), arena(0)], n),
    call('copy', [arena(0), losses(0)], 1),
  )
  return { plan: new addon.Plan({ arena: n, programs: [step], stores: [ones] }), ones }
}

/** Softmax regression of 3 classes on 6 rows of 5 features; labels by the order, the update's numbers by the scalars. */
const [m, k, n] = [6, 5, 3]
const at = { w: 0, b: 16, z: 32, each: 64, dz: 80, dw: 112, db: 128, momentum: 144, end: 160 }

function regression(): { plan: NativePlan; w: Float32Array; x: Float32Array } {
  const x = Float32Array.from({ length: m * k }, (_, i) => Math.sin(i))
  const w = Float32Array.from({ length: n * k }, (_, i) => Math.cos(i))
  const data = new addon.Store('float32', x.length)
  data.write(0, x)
  const step = program(
    [m, 7, 1, 1],
    call('linear_fwd', [store(0, 0), arena(at.w), arena(at.b), arena(at.z)], m, k, n),
    call(
      'softmax_xent_fwd_bwd',
      [arena(at.z), order(0), none, arena(at.each), losses(0), arena(at.dz)],
      m,
      n,
      1,
      -100,
      0,
    ),
    call('count_correct', [arena(at.z), order(0), counts(0)], m, n),
    call('linear_weight_bwd', [arena(at.dz), store(0, 0), arena(at.dw), arena(at.db)], m, k, n),
    call('sgd_update', [arena(at.w), arena(at.dw), arena(at.momentum), scalars(0)], n * k),
    call('sgd_update', [arena(at.b), arena(at.db), none, scalars(0)], n),
  )
  const plan = new addon.Plan({ arena: at.end, programs: [step], stores: [data] })
  plan.write(at.w, w)
  return { plan, w, x }
}

const updateScalars = (step: number) => [0.1 / (1 + step), 0.9, 0, 0.01, 0, 0, step === 0 ? 1 : 0]

function inputs(steps: number): { labels: Int32Array; table: Float64Array } {
  const labels = Int32Array.from({ length: steps * m }, (_, i) => ((i * 5) % 7) % 3)
  return { labels, table: Float64Array.from(Array.from({ length: steps }, (_, s) => updateScalars(s)).flat()) }
}

/** The same steps by one kernel call after the other. */
function direct(steps: number): { w: Float32Array; losses: number[]; counts: number[] } {
  const { w, x } = regression()
  const { labels, table } = inputs(steps)
  const f32 = (length: number) => new Float32Array(length)
  const [b, z, each, dz, dw, db, momentum] = [n, m * n, m, m * n, n * k, n, n * k].map(f32)
  const [loss, count] = [f32(1), new Int32Array(1)]
  const out: { w: Float32Array; losses: number[]; counts: number[] } = { w, losses: [], counts: [] }
  const { kernels } = addon
  for (let s = 0; s < steps; s++) {
    const [y, scalars] = [labels.subarray(s * m, (s + 1) * m), table.subarray(s * 7, s * 7 + 7)]
    const options = { reduction: 1, ignore_index: -100, label_smoothing: 0 }
    kernels.linear_fwd({ x, w, b, y: z, m, k, n })
    kernels.softmax_xent_fwd_bwd({ logits: z, labels: y, each, loss, dlogits: dz, m, n, ...options })
    kernels.count_correct({ logits: z, labels: y, count, m, n })
    kernels.linear_weight_bwd({ dy: dz, x, dw, db, m, k, n })
    kernels.sgd_update({ p: w, g: dw, momentum_buffer: momentum, scalars, n: n * k })
    kernels.sgd_update({ p: b, g: db, scalars, n })
    out.losses.push(loss[0])
    out.counts.push(count[0])
  }
  return out
}

function readWeights(plan: NativePlan): Float32Array {
  const w = new Float32Array(n * k)
  plan.read(at.w, w)
  return w
}

describe('a plan gives the bits of direct kernel calls', () => {
  const steps = 40
  const want = direct(steps)
  const { labels, table } = inputs(steps)

  it('synchronously, in one run and in many', () => {
    for (const chunk of [1, 7, steps]) {
      const { plan } = regression()
      const got = { losses: [] as number[], counts: [] as number[] }
      for (let s = 0; s < steps; s += chunk) {
        const done = Math.min(chunk, steps - s)
        const result = plan.run(Int32Array.of(0, done), labels.subarray(s * m), table.subarray(s * 7), 2)
        expect(result.steps).toBe(done)
        got.losses.push(...result.losses)
        got.counts.push(...result.counts)
      }
      expect(got).toEqual({ losses: want.losses, counts: want.counts })
      expect(readWeights(plan)).toEqual(want.w)
    }
  })

  it('off the event loop, with inputs that change meanwhile, several plans at once', async () => {
    const plans = [regression().plan, regression().plan, regression().plan]
    const runs = plans.map(plan => {
      const [segments, order, scalars] = [Int32Array.of(0, 30, 0, 10), labels.slice(), table.slice()]
      const run = plan.runAsync(segments, order, scalars, 2)
      for (const array of [segments, order, scalars]) {
        array.fill(-1)
        structuredClone(array.buffer, { transfer: [array.buffer] })
      }
      return run
    })
    for (const { steps: done, losses, counts } of await Promise.all(runs)) {
      expect({ done, losses: [...losses], counts: [...counts] }).toEqual({
        done: steps,
        losses: want.losses,
        counts: want.counts,
      })
    }
    for (const plan of plans) expect(readWeights(plan)).toEqual(want.w)
  })

  it('of large products, whatever the threads', () => {
    const [m, k, n] = [100, 128, 160]
    const [x, w] = [m * k, n * k].map(length => Float32Array.from({ length }, (_, i) => Math.sin(i)))
    const y = new Float32Array(m * n)
    addon.kernels.linear_panel_fwd({ x, w, y, m, k, n, relu: 0 })
    const step = program(
      [0, 0, 0, 0],
      call('linear_panel_fwd', [arena(0), arena(m * k), none, arena(m * k + n * k)], m, k, n, 0),
    )
    const plan = new addon.Plan({ arena: m * k + n * k + m * n, programs: [step], stores: [] })
    plan.write(0, x)
    plan.write(m * k, w)
    for (const threads of [1, 2, 3, 8]) {
      plan.write(m * k + n * k, new Float32Array(m * n))
      plan.run(Int32Array.of(0, 20), noOrder, noScalars, threads)
      const got = new Float32Array(m * n)
      plan.read(m * k + n * k, got)
      expect(got).toEqual(y)
    }
  })

  it.each([
    ['uint8', 'gather_rows_bytes', Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 255), [15, 127.5, 0, 0.5]],
    ['float16', 'gather_rows_halves', Uint16Array.of(0, 0x3c00, 0, 0, 0, 0, 0x4000, 0xfc00), [1, -Infinity, 0, 0.5]],
  ] as const)('that widen rows of %s', (dtype, kernel, values, wanted) => {
    const data = new addon.Store(dtype, 8)
    data.write(0, values)
    expect([
      data.holds(2, values.subarray(2)),
      data.holds(
        0,
        values.map(v => v ^ 1),
      ),
    ]).toEqual([true, false])
    expect(() => data.write(1, values)).toThrow('values to be at most 8 elements with the offset but received 9')
    for (const wrong of [new Float32Array(2), dtype === 'uint8' ? new Uint16Array(2) : new Uint8Array(2)])
      expect(() => data.write(0, wrong as never)).toThrow(dtype === 'uint8' ? 'a Uint8Array' : 'a Uint16Array')
    const step = program([2, 0, 0, 0], call(kernel, [store(0, 0), order(0), arena(0)], 4, 2, 2, 0.5))
    const plan = new addon.Plan({ arena: 4, programs: [step], stores: [{ dtype, length: 8 }] })
    expect(plan.bind(0, data)).toBe(true)
    plan.run(Int32Array.of(0, 1), Int32Array.of(3, 0), noScalars, 1)
    const got = new Float32Array(4)
    plan.read(0, got)
    expect([...got]).toEqual(wanted)
    const lent = new (values.constructor as Uint16ArrayConstructor)(addon.allocate(16)!, 0, 8)
    expect(plan.bind(0, lent)).toBe(true)
    lent.fill(dtype === 'uint8' ? 2 : 0x4000)
    plan.run(Int32Array.of(0, 1), Int32Array.of(3, 0), noScalars, 1)
    plan.read(0, got)
    expect([...got]).toEqual([1, 1, 1, 1])
    expect(plan.bind(0, values)).toBe(false) // memory of V8's
    expect(() => plan.bind(0, new Float32Array(8))).toThrow(dtype === 'uint8' ? 'a Uint8Array' : 'a Uint16Array')
    expect(() => plan.run(Int32Array.of(0, 1), Int32Array.of(4, 0), noScalars, 1)).toThrow(RangeError)
  })

  it('that gather rows, and only rows that are there', () => {
    const data = new addon.Store('float32', 8)
    data.write(0, Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31))
    const step = program([3, 0, 0, 0], call('gather_rows', [store(0, 0), order(0), arena(0)], 4, 2, 3))
    const plan = new addon.Plan({ arena: 6, programs: [step], stores: [data] })
    const got = new Float32Array(6)
    plan.run(Int32Array.of(0, 2), Int32Array.of(0, 0, 0, 3, 0, 2), noScalars, 1)
    plan.read(0, got)
    expect(got).toEqual(Float32Array.of(30, 31, 0, 1, 20, 21))
    const eager = (order: Int32Array) =>
      addon.kernels.gather_rows({ data: Float32Array.of(0, 1, 10, 11), order, x: got, rows: 2, k: 2, m: 3 })
    eager(Int32Array.of(1, 0, 1))
    expect(got).toEqual(Float32Array.of(10, 11, 0, 1, 10, 11))
    for (const bad of [-1, 4, 2 ** 31 - 1, -(2 ** 31)]) {
      for (let place = 0; place < 6; place++) {
        const rows = Int32Array.of(0, 1, 2, 3, 0, 1)
        rows[place] = bad
        expect(() => plan.run(Int32Array.of(0, 2), rows, noScalars, 1)).toThrow(RangeError)
      }
      expect(() => eager(Int32Array.of(0, 1, bad))).toThrow(RangeError)
    }
  })

  it('that gather rows by a table that another thread changes', async () => {
    const step = program([1, 0, 0, 0], call('gather_rows', [store(0, 0), order(0), arena(0)], 4, 1, 1))
    const plan = new addon.Plan({ arena: 1, programs: [step], stores: [new addon.Store('float32', 4)] })
    const table = new Int32Array(new SharedArrayBuffer(4 * 20000))
    const worker = new Worker(
      `const table = require('node:worker_threads').workerData
       for (;;) { table.fill(${2 ** 31 - 1}); table.fill(3) }`,
      { eval: true, workerData: table },
    )
    const outcomes = new Set<string>()
    const end = performance.now() + 10000
    while (outcomes.size < 2 && performance.now() < end) {
      try {
        expect(plan.run(Int32Array.of(0, table.length), table, noScalars, 1).steps).toBe(table.length)
        outcomes.add('done')
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
        outcomes.add('refused')
      }
    }
    await worker.terminate()
    expect(outcomes).toEqual(new Set(['done', 'refused']))
  })

  it('that take draws, each step its own, and never more than there are', () => {
    const step = program(
      [0, 0, 2, 0, 3],
      call('dropout', [arena(0), draws(1), losses(0)], 2, 10),
      call('add', [arena(0), draws(0), arena(0)], 1),
    )
    const plan = new addon.Plan({ arena: 16, programs: [step], stores: [] })
    plan.write(0, Float32Array.of(1, 2))
    const numbers = Float32Array.of(1, 1, 0, 2, 0, 1, 3, 1, 1)
    const run = (given?: Float32Array) => plan.run(Int32Array.of(0, 3), noOrder, noScalars, 1, given)
    for (const given of [undefined, numbers.subarray(1)])
      expect(() => run(given)).toThrow(/draws to have at least 9 elements/)
    expect(run(numbers).losses).toEqual(Float32Array.of(10, 0, 0, 20, 40, 20))
  })

  it('with no step at all', () => {
    const { plan, w } = regression()
    expect(plan.run(noOrder, noOrder, noScalars, 1)).toEqual({
      steps: 0,
      losses: new Float32Array(0),
      counts: new Int32Array(0),
    })
    expect(plan.run(Int32Array.of(0, 0), noOrder, noScalars, 1).steps).toBe(0)
    expect(readWeights(plan)).toEqual(w)
  })
})

describe('memory', () => {
  it('holds what was written, in every element type', () => {
    const plan = new addon.Plan({ arena: 40, programs: [], stores: [] })
    const values = [Float32Array.of(1, -2.5), Int32Array.of(7, -8), Float64Array.of(Math.PI, -0)]
    for (const [i, array] of values.entries()) plan.write(10 * i, array)
    for (const [i, array] of values.entries()) {
      const back = array.slice().fill(0)
      plan.read(10 * i, back)
      expect(back).toEqual(array)
    }
    const rest = new Float32Array(6).fill(5)
    plan.read(4, rest)
    expect(rest).toEqual(new Float32Array(6)) // zeroed
    plan.write(40, new Float32Array(0))
    for (const [offset, length] of [
      [39, 2],
      [41, 0],
      [0, 41],
    ]) {
      expect(() => plan.write(offset, new Float32Array(length))).toThrow(RangeError)
      expect(() => plan.read(offset, new Int32Array(length))).toThrow(RangeError)
    }
    expect(() => plan.write(0, new Float64Array(21))).toThrow(RangeError)
  })

  it('of a store that is another from now on, or values where they lie', () => {
    const { plan, ones } = counting(4)
    ones.write(0, Float32Array.of(1, 1, 1, 1))
    const step = () => void plan.run(Int32Array.of(0, 1), noOrder, noScalars, 1)
    const sums = () => {
      const read = new Float32Array(4)
      plan.read(0, read)
      return [...read]
    }
    step()
    const lent = new Float32Array(addon.allocate(24)!).subarray(1, 5).fill(2)
    expect(plan.bind(0, lent)).toBe(true)
    step()
    lent.fill(4)
    step()
    expect(sums()).toEqual([7, 7, 7, 7])
    expect(plan.bind(0, ones)).toBe(true)
    step()
    expect(sums()).toEqual([8, 8, 8, 8])
    expect(plan.bind(0, new Float32Array(4))).toBe(false) // memory of V8's
    expect(plan.bind(0, new Float32Array(0))).toBe(false)
    expect(plan.bind(0, new Float32Array(new SharedArrayBuffer(16)))).toBe(false)
    expect(() => plan.bind(0, lent.subarray(1))).toThrow(
      'a store of 4 elements of the same type but received another of 3',
    )
    expect(() => plan.bind(0, new addon.Store('int32', 4))).toThrow(RangeError)
    expect(() => plan.bind(1, ones)).toThrow('number to be an integer from 0 to 0')
    expect(() => plan.bind(0, new Int32Array(addon.allocate(16)!) as never)).toThrow('source to be a Float32Array')
    step()
    expect(sums()).toEqual([9, 9, 9, 9])
  })

  it('of stores takes slices and keeps them', () => {
    const data = new addon.Store('int32', 5)
    expect(data.length).toBe(5)
    data.write(0, Int32Array.of(0, 1))
    data.write(2, Int32Array.of(2, 0, 1))
    data.write(5, new Int32Array(0))
    const logits = [0, 1, 2, 0, 1].flatMap(label => [0, 1, 2].map(c => Number(c === label)))
    const step = program([0, 0, 0, 1], call('count_correct', [arena(0), store(0, 0), counts(0)], 5, 3))
    const plan = new addon.Plan({ arena: 15, programs: [step], stores: [data] })
    plan.write(0, Float32Array.from(logits))
    expect(plan.run(Int32Array.of(0, 1), noOrder, noScalars, 1).counts).toEqual(Int32Array.of(5))
    expect(() => data.write(4, Int32Array.of(0, 1))).toThrow(RangeError)
    expect(() => data.write(0, Float32Array.of(0) as never)).toThrow(TypeError)
  })
})

describe('one run at a time', () => {
  it('refuses a second use while one is under way, and ends when told to', async () => {
    const { plan } = counting(1000)
    const run = plan.runAsync(Int32Array.of(0, 2 ** 31 - 1), noOrder, noScalars, 2)
    const busy = expect.objectContaining({ code: 'ERR_BUSY' })
    expect(() => plan.runAsync(Int32Array.of(0, 1), noOrder, noScalars, 1)).toThrow(busy)
    expect(() => plan.run(Int32Array.of(0, 1), noOrder, noScalars, 1)).toThrow(busy)
    expect(() => plan.write(0, new Float32Array(1))).toThrow(busy)
    expect(() => plan.read(0, new Float32Array(1))).toThrow(busy)
    expect(() => plan.bind(0, null)).toThrow(busy)
    setTimeout(() => plan.stop(), 30)
    const { steps, losses } = await run
    expect(steps).toBeGreaterThan(0)
    expect(losses.length).toBe(steps)
    expect(losses[steps - 1]).toBe(Math.min(steps, 2 ** 24)) // the arena is exactly after the last step
    expect(plan.run(Int32Array.of(0, 3), noOrder, noScalars, 1).steps).toBe(3) // an old stop ends no new run
  })

  it('lets be read meanwhile what no program of the run writes', async () => {
    const n = 4
    const copy = (from: number, to: number) => program([0, 0, 0, 0], call('copy', [arena(from), arena(to)], n))
    const plan = new addon.Plan({ arena: 64, programs: [copy(0, 16), copy(0, 32), copy(0, 48)], stores: [] })
    plan.write(0, Float32Array.of(1, 2, 3, 4))
    plan.run(Int32Array.of(1, 1), noOrder, noScalars, 1)
    const running = plan.runAsync(Int32Array.of(0, 2 ** 30, 2, 1), noOrder, noScalars, 1)
    const read = (offset: number, length = n) => {
      const out = new Float32Array(length)
      plan.read(offset, out)
      return out
    }
    const busy = expect.objectContaining({ code: 'ERR_BUSY' })
    expect([read(0), read(32)]).toEqual([Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 3, 4)])
    for (const offset of [16, 19, 48, 13]) expect(() => read(offset)).toThrow(busy)
    expect(() => read(0, 17)).toThrow(busy)
    expect(() => plan.write(32, new Float32Array(n))).toThrow(busy)
    plan.stop()
    await running
    expect(read(16).length).toBe(n)
  })

  it('stops before the first step when told at once', async () => {
    const { plan } = counting(10)
    const run = plan.runAsync(Int32Array.of(0, 2 ** 31 - 1), noOrder, noScalars, 1)
    plan.stop()
    expect((await run).steps).toBeLessThan(2 ** 31 - 1)
  })
})

/** Runs a call that may throw, but then an error of the documented kind. */
function survives(what: string, body: () => unknown): void {
  try {
    body()
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    const expected =
      ['ERR_ARG_TYPE', 'ERR_ARG_VALUE', 'ERR_OUT_OF_MEMORY'].includes(code ?? '') || /getter|Illegal/.test(message)
    expect(expected, `${what}: ${error}`).toBe(true)
  }
}

/** Every list of arguments with one of them replaced by a hostile value. */
function* replaced(good: unknown[]): Generator<unknown[]> {
  for (let place = 0; place < good.length; place++) {
    for (const value of hostile()) yield good.with(place, value)
    yield good.slice(0, place)
  }
}

describe('hostile arguments', () => {
  const any = addon as unknown as Record<
    string,
    new (
      ...args: unknown[]
    ) => Record<string, (...args: unknown[]) => unknown>
  >
  const fields = () => ({ arena: 8, programs: [program([0, 0, 0, 0])], stores: [new addon.Store('float32', 3)] })

  it('to the constructors', () => {
    for (const args of replaced(['float32', 4]))
      if (args[1] !== 2 ** 31 && args[1] !== 2 ** 32 + 5) survives('Store', () => new any.Store(...args))
    for (const value of hostile()) {
      survives('Plan', () => new any.Plan(value))
      survives('programs', () => new any.Plan({ ...fields(), programs: value }))
      survives('stores', () => new any.Plan({ ...fields(), stores: value }))
      survives('a program', () => new any.Plan({ ...fields(), programs: [value] }))
      survives('a store', () => new any.Plan({ ...fields(), stores: [value] }))
      if (typeof value !== 'number' || value < 2 ** 31)
        survives('a form', () => new any.Plan({ ...fields(), stores: [{ dtype: 'int32', length: value }] }))
      if (typeof value !== 'number' || value < 2 ** 31 || value > 2 ** 40)
        survives('arena', () => new any.Plan({ ...fields(), arena: value }))
    }
    const throwing = Object.defineProperty(fields(), 'stores', {
      get: () => {
        throw new Error('getter')
      },
    }) // prettier-ignore
    expect(() => new any.Plan(throwing)).toThrow('getter')
    expect(() => (any.Plan as unknown as () => void)()).toThrow(TypeError)
    expect(() => new any.Plan({ ...fields(), programs: new Array(2 ** 32 - 1) })).toThrow(RangeError)
  })

  it('to allocate', () => {
    const allocate = addon.allocate as (...args: unknown[]) => ArrayBuffer | null
    for (const value of hostile())
      if (typeof value !== 'number' || value < 2 ** 31) survives('allocate', () => allocate(value))
    expect(allocate(2 ** 40)).toBe(null)
    expect(() => allocate(2 ** 41)).toThrow(RangeError)
    expect([...new Uint8Array(allocate(3)!)]).toEqual([0, 0, 0])
  })

  it('to programs for several numbers of rows', () => {
    const [x, y] = [Float32Array.of(1, 2, 3), new Float32Array(3)]
    const sum = [0, 0, 0, 0, 0, 0, 0, 4, ...call('add', [store(0, 0), store(0, 0), arena(4)], -1)]
    const kept = new any.Store('float32', 4)
    const plan = new any.Plan({
      arena: 8,
      programs: [Float64Array.from(sum)],
      stores: [kept, new any.Store('int32', 4)],
    })
    plan.infer(0, 3, 4, y, 0, x, 1)
    expect(y).toEqual(Float32Array.of(2, 4, 6))
    plan.infer(0, 2, 4, y, 0, Float32Array.of(5, 5, 5), 1)
    expect(y).toEqual(Float32Array.of(10, 10, 6))
    kept.write(0, Float32Array.of(7, 8, 9))
    plan.infer(0, 3, 4, y, 0, null, 1)
    expect(y).toEqual(Float32Array.of(14, 16, 18))
    expect(() => plan.infer(0, 4, 4, y, 0, x, 1)).toThrow('input to be at least 4 elements but received 3')
    expect(() => plan.infer(0, 3, 4, y, 1, x, 1)).toThrow('number to be a store of float32')
    expect(() => plan.infer(0, 3, 4, y, 2, x, 1)).toThrow('number to be an integer from 0 to 1')
    expect(() => plan.infer(0, 5, 4, y, 0, x, 1)).toThrow('rows to be an integer from 1 to 4')
    expect(() => plan.infer(1, 1, 4, y, 0, x, 1)).toThrow('program to be an integer from 0 to 0')
    expect(() => plan.infer(0, 1, 6, y, 0, x, 1)).toThrow("the arena's 8 words")
    expect(() => plan.setRows(0, 0)).toThrow(RangeError)
    const fixed = new any.Plan({ ...fields(), programs: [program([1, 0, 0, 0])] })
    expect(() => fixed.infer(0, 1, 0, y, 0, x, 1)).toThrow(RangeError)
    for (const args of replaced([0, 2, 4, y, 0, x, 1])) survives('infer', () => plan.infer(...args))
    for (const args of replaced([0, 2])) survives('setRows', () => plan.setRows(...args))
  })

  it('as numbers of a program, in every place', () => {
    const good = [0, 0, 1, 0, 0, 0, 0, 0, ...call('add', [arena(0), store(0, 0), arena(4)], 3)]
    new addon.Plan({ arena: 8, programs: [Float64Array.from(good)], stores: fields().stores })
    const numbers = [NaN, Infinity, -Infinity, -1, 0.5, 2 ** 31, 2 ** 32 + 5, 2 ** 53, 2 ** 64, 1e300, 7, 15, 18]
    for (let place = 0; place < good.length; place++) {
      for (const value of numbers) {
        const plan = { arena: 8, programs: [Float64Array.from(good.with(place, value))], stores: fields().stores }
        // Not the numbers per step, the rows, the kernel and the offsets: some of these values are right there.
        if (place > 4 && ![7, 8, 10, 12, 14].includes(place))
          expect(() => new addon.Plan(plan), `${place} ${value}`).toThrow(RangeError)
        else survives(`number ${place} = ${value}`, () => new addon.Plan(plan))
      }
      survives(
        'a short program',
        () => new addon.Plan({ ...fields(), programs: [Float64Array.from(good.slice(0, place))] }),
      )
    }
  })

  it('to the methods, on any receiver', () => {
    const [plan, data] = [new any.Plan(fields()), new any.Store('int32', 3)]
    for (const args of replaced([0, new Float32Array(2)])) {
      for (const name of ['write', 'read']) survives(name, () => plan[name](...args))
      survives('Store.write', () => data.write(...args))
    }
    for (const args of replaced([
      Int32Array.of(0, 1),
      new Int32Array(3),
      new Float64Array(3),
      1,
      new Float32Array(2),
    ])) {
      survives('run', () => plan.run(...args))
    }
    for (const args of replaced([0, new Float32Array(3)])) survives('bind', () => plan.bind(...args))
    for (const receiver of [...hostile(), data, Object.create(plan), new Proxy(plan, {})]) {
      expect(() => plan.run.call(receiver as never, Int32Array.of(0, 1), noOrder, noScalars, 1)).toThrow(TypeError)
    }
  })

  it('to runAsync: refused at once', async () => {
    const { plan } = regression()
    const { labels, table } = inputs(2)
    const refused = (code: string, ...args: unknown[]) =>
      expect(() => (plan.runAsync as (...a: unknown[]) => unknown)(...args)).toThrow(expect.objectContaining({ code }))
    const twice = Int32Array.of(0, 2)
    refused('ERR_ARG_VALUE', Int32Array.of(0, 3), labels, table, 1)
    refused('ERR_ARG_VALUE', twice, labels, table.subarray(1), 1)
    refused('ERR_ARG_VALUE', Int32Array.of(1, 1), labels, table, 1)
    refused('ERR_ARG_VALUE', Int32Array.of(-1, 1), labels, table, 1)
    refused('ERR_ARG_VALUE', Int32Array.of(0, -1), labels, table, 1)
    refused('ERR_ARG_VALUE', Int32Array.of(0), labels, table, 1)
    for (const threads of [0, 1025, 1.5, NaN]) refused('ERR_ARG_VALUE', twice, labels, table, threads)
    refused('ERR_ARG_TYPE', twice, labels, [...table], 1)
    refused('ERR_ARG_TYPE', twice, null, table, 1)
    refused('ERR_ARG_TYPE', twice, labels, table, 1, table)
    expect((await plan.runAsync(twice, labels, table, 1024)).steps).toBe(2)
  })
})

const binary = resolve(process.env.ANNEAL_BINARY ?? join(import.meta.dirname, '../build/anneal.node'))

/** Plain JavaScript for another thread or process: a plan of products on two threads, and a chunk of it of some 30 ms. */
const longSteps = `
  const addon = require(${JSON.stringify(binary)})
  const product = [addon.signatures.linear_panel_fwd.id, 16, 0, 16, 0, 0, 0, 1, 0, 64, 256, 256, 0]
  const data = new addon.Store('float32', 256 * 256)
  let plan = new addon.Plan({ arena: 64 * 256, programs: [Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, ...product)], stores: [data] })
  const run = steps => plan.runAsync(Int32Array.of(0, steps), new Int32Array(0), new Float64Array(0), 2)
  const begin = performance.now()
  plan.run(Int32Array.of(0, 10), new Int32Array(0), new Float64Array(0), 1)
  const chunk = Math.ceil(300 / (performance.now() - begin))
`

describe('the end of an environment in mid-run', () => {
  it('worker.terminate() waits for a chunk and no more', async () => {
    for (let round = 0; round < 3; round++) {
      const code = `${longSteps} const { parentPort } = require('node:worker_threads')
        ;(async () => { for (let i = 0; ; i++) { await run(chunk); if (i === 1) parentPort.postMessage('running') } })()`
      const worker = new Worker(code, { eval: true })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      const begin = performance.now()
      await worker.terminate()
      expect(performance.now() - begin).toBeLessThan(1000)
    }
  })

  it('process.exit() ends a run of any length', () => {
    const script = `${longSteps} run(2 ** 31 - 1)
      setTimeout(() => { console.log(Date.now()); process.exit(7) }, 100)`
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' })
    expect(Date.now() - Number(stdout)).toBeLessThan(1000)
  })

  it('a plan that nobody holds lives until its run ends', () => {
    const script = `${longSteps} const promise = run(chunk)
      plan = null
      for (let i = 0; i < 5; i++) gc()
      const timer = setInterval(gc, 1)
      promise.then(({ steps }) => { clearInterval(timer); console.log(steps === chunk) })`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true\n', stderr: '' })
  })
})

it('plans and stores are freed with their objects', async () => {
  const before = process.memoryUsage().rss
  for (let i = 0; i < 200; i++) {
    const { plan } = counting(1 << 20) // 8 MB of plan and store, all touched
    plan.run(Int32Array.of(0, 1), noOrder, noScalars, 1)
    if (i % 10 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(800e6) // all of them would be 1.6 GB
})

it('loads twice in one thread', () => {
  const load = createRequire(import.meta.url)
  const first = load(binary)
  delete load.cache[binary]
  expect(load(binary).format).toEqual(first.format)
})
