/** Values of every kind that JavaScript can hold, for calling native functions with what they do not expect. */
export function hostile(): unknown[] {
  const detached = new Float32Array(8)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const throwing = {
    get length() {
      throw new Error('getter')
    },
  }
  return [
    ...[undefined, null, true, 0, -0, -1, 0.5, NaN, Infinity, 2 ** 31, 2 ** 32 + 5, 2 ** 53, -(2 ** 53), 1e300],
    ...[0n, -1n, 2n ** 64n + 5n, -(2n ** 200n), 'text', Symbol('s'), () => 1],
    ...[{}, [], [1, 2], new Proxy({}, {}), throwing, Object.create(null), detached],
    ...[new Float32Array(0), new Float32Array(3), new Float64Array(4), new Int32Array(3), new Uint32Array(624)],
    ...[new Uint8Array(3), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8), new BigInt64Array(2)],
  ]
}
