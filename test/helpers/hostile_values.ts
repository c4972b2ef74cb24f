/** Values that no caller should pass, made anew for each call. Not a test. */

import vm from 'node:vm'
import { tensor } from '../../src/tensor/index.js'

/** What a value of the caller's own throws: not ours to give a code. */
export const OWN = 'OWN_ERROR'
const thrown = () => {
  throw Object.assign(new Error('of the value itself'), { code: OWN })
}

function circular(): unknown[] {
  const list: unknown[] = [1]
  list.push(list)
  return list
}

function detached(): Float32Array {
  const array = new Float32Array(2)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

function* endless(): Generator<number> {
  for (;;) yield 1
}

const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))
const realm = vm.createContext()

export const hostile: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  0: () => 0,
  '-0': () => -0,
  1: () => 1,
  '-1': () => -1,
  0.5: () => 0.5,
  NaN: () => NaN,
  Infinity: () => Infinity,
  '-Infinity': () => -Infinity,
  '2^31': () => 2 ** 31,
  '2^53': () => 2 ** 53,
  '1e300': () => 1e300,
  '1n': () => 1n,
  '2^70n': () => 2n ** 70n,
  'no text': () => '',
  'text x': () => 'x',
  'text 1': () => '1',
  'text constructor': () => 'constructor',
  'text __proto__': () => '__proto__',
  'long text': () => 'y'.repeat(5000),
  symbol: () => Symbol('s'),
  function: () => () => 1,
  'function that throws': () => thrown,
  'async function': () => async () => 1,
  class: () => class Foreign {},
  '[]': () => [],
  '[1]': () => [1],
  '[NaN]': () => [NaN],
  '["x"]': () => ['x'],
  '[null]': () => [null],
  ragged: () => [[1], [2, 3]],
  holes: () => new Array(2),
  circular: () => circular(),
  'deep array': () => deep,
  'array-like': () => ({ length: 2 ** 40 }),
  '{}': () => ({}),
  'no prototype': () => Object.create(null),
  'unknown key': () => ({ unknown: 1 }),
  'own __proto__': () => JSON.parse('{"__proto__": 1, "constructor": 2}'),
  'proxy that throws': () => new Proxy({}, { get: thrown, has: thrown, ownKeys: thrown, getPrototypeOf: thrown }),
  'getters that throw': () => Object.defineProperty({}, 'length', { get: thrown, enumerable: true }),
  date: () => new Date(),
  map: () => new Map([[1, 2]]),
  promise: () => Promise.resolve(1),
  error: () => new Error('e'),
  Float32Array: () => new Float32Array(2),
  'other realm': () => vm.runInContext('new Float32Array(2)', realm),
  BigInt64Array: () => new BigInt64Array(2),
  DataView: () => new DataView(new ArrayBuffer(8)),
  detached: () => detached(),
  tensor: () => tensor([1, 2]),
  scalar: () => tensor(1),
  'int32 tensor': () => tensor([1, 2], { dtype: 'int32' }),
  'empty tensor': () => tensor([]),
  'detached tensor': () => {
    const t = tensor([1, 2])
    structuredClone(t.data.buffer, { transfer: [t.data.buffer as ArrayBuffer] })
    return t
  },
  endless: () => endless(),
}
