/**
 * The addon as WebAssembly (prebuilds/wasm32): what the binary exports, for machines that no binary fits. A module reaches
 * only its own memory, so arrays are copied there and results back. Node-API is emnapi; kernels go past it, because a call
 * through it costs more than most of them. Not here: when this is taken (addon.ts), the C++ side (native/wasm).
 */
import { readFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { join } from 'node:path'
import { isDetached, typedArrayName } from '../base/kinds.js'
import type { NativeAddon, Signature, TypedArray } from './types.js'

/** What the module exports beside Node-API. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  malloc(bytes: number): number
  free(address: number): void
  anneal_frame(): number
  anneal_call(id: number): number
}

type Callable = (this: unknown, ...args: unknown[]) => unknown

const kinds = {
  Float32Array: { view: Float32Array, bytes: 4 },
  Int32Array: { view: Int32Array, bytes: 4 },
  Float64Array: { view: Float64Array, bytes: 8 },
  Uint32Array: { view: Uint32Array, bytes: 4 },
  Uint8Array: { view: Uint8Array, bytes: 1 },
  Uint16Array: { view: Uint16Array, bytes: 2 },
} as const

type KindName = keyof typeof kinds

const kernelArrays = {
  float32: 'Float32Array',
  int32: 'Int32Array',
  float64: 'Float64Array',
  uint8: 'Uint8Array',
  float16: 'Uint16Array',
} as const

const BLOCK = 1 << 20 // bytes that stay allocated: more are returned after the call
const WORD = 64

const padded = (bytes: number) => Math.ceil(bytes / WORD) * WORD

const heapsOver = (buffer: ArrayBuffer) => ({
  float32: new Float32Array(buffer),
  int32: new Int32Array(buffer),
  float64: new Float64Array(buffer),
  uint8: new Uint8Array(buffer),
  float16: new Uint16Array(buffer),
})

/** The module's memory: its views are made anew when it has grown, and arrays lie in a block that every call reuses. */
class Memory {
  /** By the dtype of a kernel's buffer. */
  heaps = heapsOver(new ArrayBuffer(0))
  f64 = this.heaps.float64
  readonly #block: number

  constructor(readonly exports: Exports) {
    this.#block = this.#allocate(BLOCK + WORD)
    this.refresh()
  }

  refresh(): void {
    if (this.f64.length > 0) return
    this.heaps = heapsOver(this.exports.memory.buffer)
    this.f64 = this.heaps.float64
  }

  /** Room for `bytes`, aligned to a word; give it back. */
  take(bytes: number): number {
    const address = bytes <= BLOCK ? this.#block : this.#allocate(bytes + WORD)
    this.refresh()
    return address
  }

  giveBack(address: number): void {
    if (address !== this.#block) this.exports.free(address)
    this.refresh()
  }

  #allocate(bytes: number): number {
    const address = this.exports.malloc(bytes)
    if (address) return address
    const message = `WebAssembly: expected room for ${bytes} bytes more in its memory of at most 2 GiB`
    throw Object.assign(new Error(message), { code: 'ERR_OUT_OF_MEMORY' })
  }
}

/** The argument where it is an array whose elements have to be copied. */
function asArray(arg: unknown): TypedArray | null {
  if (!Object.hasOwn(kinds, typedArrayName(arg) ?? '')) return null
  const array = arg as TypedArray
  return array.length === 0 || isDetached(array) ? null : array
}

/**
 * `call` with every typed array among its arguments in the module's memory; `writes` says whether the arrays are copied
 * back. Checks nothing: the binding does.
 */
function staged(memory: Memory, call: Callable, writes: boolean): Callable {
  return function (...args) {
    const arrays = args.map(asArray)
    if (!arrays.some(Boolean)) return call.apply(this, args)
    const block = memory.take(arrays.reduce((sum, array) => sum + padded(array?.byteLength ?? 0), 0))
    let at = padded(block)
    const view = (array: TypedArray, address: number) => {
      const { view } = kinds[typedArrayName(array) as KindName]
      return new view(memory.exports.memory.buffer, address, array.length)
    }
    const addresses = arrays.map(array => {
      const address = at
      if (array) at += padded(array.byteLength)
      return address
    })
    try {
      const passed = args.map((arg, i) => {
        if (!arrays[i]) return arg
        const there = view(arrays[i], addresses[i]!)
        there.set(arrays[i])
        return there
      })
      const result = call.apply(this, passed)
      for (const [i, array] of arrays.entries()) if (writes && array) array.set(view(array, addresses[i]!))
      return result
    } finally {
      memory.giveBack(block)
    }
  }
}

/** The number of elements of a kernel's buffer for these arguments; NaN where a dim is none. */
function extents({ buffers, dims }: Signature): (args: readonly unknown[]) => number[] {
  const places = buffers.map(buffer => buffer.dims.map(dim => buffers.length + dims.indexOf(dim)))
  return args =>
    buffers.map(({ factor, padded }, b) =>
      places[b]!.reduce((size, place, d) => {
        const dim = args[place] as number
        if (!(Number.isInteger(dim) && dim >= 0 && dim < 2 ** 31)) return Number.NaN
        return size * (padded[d] ? Math.ceil(dim / 16) * 16 : dim)
      }, factor),
    )
}

/** Whether these are a kernel's arguments as its line has them; what is not is left to the binding, which says why. */
function fits({ buffers }: Signature, args: readonly unknown[], sizes: readonly number[]): boolean {
  for (let b = 0; b < buffers.length; b++) {
    const { dtype, optional } = buffers[b]!
    const array = args[b]
    if (array == null && optional) continue
    if (typedArrayName(array) !== kernelArrays[dtype] || !((array as TypedArray).length >= sizes[b]!)) return false
  }
  for (let i = buffers.length; i < args.length; i++) if (typeof args[i] !== 'number') return false
  return true
}

/** A kernel by its direct export; `checked` is the same through Node-API. */
function direct(memory: Memory, signature: Signature, checked: Callable): Callable {
  const { id, buffers, dims, scalars } = signature
  const count = buffers.length + dims.length + scalars.length
  const sizesOf = extents(signature)
  const frame = memory.exports.anneal_frame() / 8
  const heapOf = (b: number) => memory.heaps[buffers[b]!.dtype]
  const bytesOf = (b: number) => kinds[kernelArrays[buffers[b]!.dtype]].bytes
  return (...args) => {
    const sizes = sizesOf(args)
    if (args.length !== count || !fits(signature, args, sizes)) return checked(...args)
    const block = memory.take(sizes.reduce((sum, size, b) => sum + padded(size * bytesOf(b)), 0))
    const places: number[] = []
    for (let b = 0, at = padded(block); b < buffers.length; at += padded(sizes[b]! * bytesOf(b)), b++) {
      const array = args[b] as Float32Array | null | undefined
      places.push(at / bytesOf(b))
      memory.f64[frame + b] = array == null ? 0 : at
      if (array == null || buffers[b]!.role === 'out') continue
      heapOf(b).set(array.length === sizes[b] ? array : array.subarray(0, sizes[b]), places[b])
    }
    for (let i = buffers.length; i < count; i++) memory.f64[frame + i] = args[i] as number
    const done = memory.exports.anneal_call(id)
    for (let b = 0; done && b < buffers.length; b++) {
      const array = args[b] as Float32Array | null | undefined
      if (array == null || buffers[b]!.role === 'in') continue
      array.set(heapOf(b).subarray(places[b], places[b]! + sizes[b]!) as Float32Array)
    }
    memory.giveBack(block)
    return done ? undefined : checked(...args)
  }
}

type Constructor = new (...args: never[]) => object

/** Every method of a class: whether it writes to its arrays, or null where it takes none. */
type Methods<C extends Constructor> = {
  readonly [K in keyof InstanceType<C> as InstanceType<C>[K] extends (...args: never[]) => unknown ? K : never]:
    | boolean
    | null
}

/** A class of the addon whose methods get their arrays staged. */
function stagedClass<C extends Constructor>(memory: Memory, native: C, methods: Methods<C>): C {
  const derived = class extends (native as unknown as new (...args: unknown[]) => object) {}
  for (const [name, writes] of Object.entries<boolean | null>(methods)) {
    if (writes === null) continue
    const value = staged(memory, native.prototype[name], writes)
    Object.defineProperty(derived.prototype, name, { value })
  }
  Object.defineProperty(derived, 'name', { value: native.name })
  return derived as unknown as C
}

/** The few calls of WASI that the C library makes: its environment is Node's, and nothing is written. */
function wasi(exports: () => Exports): Record<string, Callable> {
  const encoder = new TextEncoder()
  const entries = () => Object.entries(process.env).map(([name, value]) => encoder.encode(`${name}=${value}\0`))
  const refused = 52 // ENOSYS
  return {
    environ_sizes_get(count, bytes) {
      const view = new DataView(exports().memory.buffer)
      view.setUint32(count as number, entries().length, true)
      view.setUint32(
        bytes as number,
        entries().reduce((sum, entry) => sum + entry.length, 0),
        true,
      )
      return 0
    },
    environ_get(pointers, text) {
      const view = new DataView(exports().memory.buffer)
      entries().reduce((at, entry, i) => {
        view.setUint32((pointers as number) + 4 * i, at, true)
        new Uint8Array(view.buffer).set(entry, at)
        return at + entry.length
      }, text as number)
      return 0
    },
    fd_close: () => refused,
    fd_seek: () => refused,
    fd_write: () => refused,
    proc_exit(code) {
      throw new Error(`anneal: the WebAssembly module ended with ${code}`)
    },
  }
}

/** The addon in a folder that scripts/prebuilds.mjs made. */
export function loadWasm(folder: string): NativeAddon {
  const requireFile = nodeModule.createRequire(join(folder, 'anneal.wasm'))
  const { instantiateNapiModuleSync } = requireFile('./emnapi-core.cjs')
  const { getDefaultContext } = requireFile('./emnapi-runtime.cjs')
  let exports: Exports
  const { napiModule } = instantiateNapiModuleSync(readFileSync(join(folder, 'anneal.wasm')), {
    context: getDefaultContext(),
    asyncWorkPoolSize: 0,
    overwriteImports: (imports: object) => ({ ...imports, wasi_snapshot_preview1: wasi(() => exports) }),
    beforeInit({ instance }: { instance: { exports: Exports } }) {
      exports = instance.exports
      exports._initialize()
    },
  })
  const native = napiModule.exports as NativeAddon
  const memory = new Memory(exports!)
  const each = (functions: object, wrap: (name: string, call: Callable) => Callable) =>
    Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, wrap(name, call)]))
  return {
    ...native,
    kernels: each(native.kernels, (name, call) => direct(memory, native.signatures[name]!, call)) as never,
    random: each(native.random as object, (_, call) => staged(memory, call, true)),
    Store: stagedClass(memory, native.Store, { write: false, holds: false }),
    Plan: stagedClass(memory, native.Plan, {
      bind: null,
      write: false,
      read: true,
      infer: true,
      setRows: null,
      run: false,
      runAsync: false,
      stop: null,
    }),
  }
}
