/**
 * Every instruction set that this CPU has: the lecture's weights are the same, bit for bit, wherever multiply-adds are fused,
 * and 30 streams, initial weights and fits have the hashes recorded for every platform.
 */

import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { addon } from '../src/native/addon.js'
import { lecture, outputOf } from './helpers/program.js'

const known = ['sse2', 'avx2', 'avx512']
const here = known.slice(0, known.indexOf(addon.isa) + 1)

const trained = `${lecture}
  const { trainLoss } = await fit(model, options)
  const bits = Object.values(model.stateDict()).map(t => Buffer.from(t.data.buffer, t.data.byteOffset, 4 * t.size).toString('hex'))
  console.log(JSON.stringify({ isa: anneal.backends.native.isa, bits, loss: trainLoss.at(-1) }))`

function train(isa: string): { isa: string; bits: string[]; loss: number } {
  return JSON.parse(outputOf(trained, { ANNEAL_MAX_ISA: isa }))
}

describe.runIf(process.arch === 'x64')('the trained lecture', () => {
  const results = here.map(train)

  it('runs on the instruction set asked for', () => {
    expect(results.map(({ isa }) => isa)).toEqual(here)
  })

  it('ends at the same loss on all of them', () => {
    for (const { loss } of results) expect(Math.abs(loss - 0.445405)).toBeLessThan(1e-6)
  })

  it('has equal bits on those that fuse multiply-adds', () => {
    const [first, ...others] = results.filter(({ isa }) => isa !== 'sse2')
    for (const { bits } of others) expect(bits).toEqual(first.bits)
  })
})

it.each(process.arch === 'x64' ? here : [''])('the hashes recorded for every platform, %s', isa => {
  const env = { ...process.env, ANNEAL_MAX_ISA: isa }
  const said = execFileSync(process.execPath, ['scripts/platform_hashes.mjs'], { env, encoding: 'utf8' })
  expect(said).toContain('30 of 30 hashes equal')
})
