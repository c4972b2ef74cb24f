/** The random functions of the addon called directly with whatever JavaScript can hold: coded errors, no crash. */
import { describe, expect, it } from 'vitest'
import { addon } from '../src/native/addon.js'

type Call = (...args: unknown[]) => unknown
const random = addon.random as Record<string, Call>

function hostile(): unknown[] {
  const detached = new Float32Array(8)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const throwing = {
    get length() {
      throw new Error('getter')
    },
  }
  return [
    undefined,
    null,
    true,
    0,
    -0,
    -1,
    0.5,
    NaN,
    Infinity,
    2 ** 31,
    2 ** 32 + 5,
    2 ** 53,
    -(2 ** 53),
    1e300,
    0n,
    -1n,
    2n ** 64n + 5n,
    -(2n ** 200n),
    'text',
    Symbol('s'),
    () => 1,
    {},
    [],
    [1, 2],
    new Proxy({}, {}),
    throwing,
    Object.create(null),
    detached,
    new Float32Array(0),
    new Float32Array(3),
    new Float64Array(4),
    new Int32Array(3),
    new Uint32Array(624),
    new Uint8Array(3),
    new DataView(new ArrayBuffer(8)),
    new ArrayBuffer(8),
    new BigInt64Array(2),
    Object.create(random.create() as object),
    random.create(),
  ] // prettier-ignore
}

/** Runs a call that may throw, but then an error with a code of ours. */
function survives(name: string, args: unknown[]) {
  try {
    random[name](...args)
  } catch (error) {
    expect(['ERR_ARG_TYPE', 'ERR_ARG_VALUE'], `${name}: ${error}`).toContain((error as { code?: string }).code)
  }
}

describe.each(Object.keys(random).filter(name => name !== 'create'))('%s', name => {
  it('wants an engine first', () => {
    const engine = random.create() as object
    for (const value of hostile().slice(0, -1)) {
      expect(() => random[name](value, new Float64Array(4), 0, 1)).toThrow(
        expect.objectContaining({ code: 'ERR_ARG_TYPE' }),
      )
    }
    expect(() => random[name](new Proxy(engine, {}))).toThrow(expect.objectContaining({ code: 'ERR_ARG_TYPE' }))
    expect(() => random[name]()).toThrow(expect.objectContaining({ code: 'ERR_ARG_TYPE' }))
  })

  it('survives every value in every place', () => {
    const arrays = [new Float32Array(20), new Float64Array(20), new Int32Array(20), new Uint32Array(624)]
    for (const array of arrays) {
      for (const value of hostile()) {
        for (const place of [1, 2, 3, 4]) {
          const args: unknown[] = [random.create(), array, new Float64Array(2), 1, 2]
          args[place] = value
          survives(name, args)
          survives(name, [args[0], args[1], args[4], args[3], args[2]])
        }
      }
    }
  })
})

it('engines are freed with their objects', async () => {
  const before = process.memoryUsage().rss
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 10_000; i++) random.create()
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6) // 200,000 engines of 2.5 kB would be 500 MB
})
