/** examples/server.ts under load: retrained ten times, no request fails, and what its clients feel of it. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { data, io } from 'anneal'
import { expect, it } from 'vitest'
import { buildServer } from '../examples/server.js'
import { histogramText, Load } from './helpers/load.js'

const state = async (url: string) =>
  (await (await fetch(`${url}/model`)).json()) as { version: number; accuracy: number; training: boolean }

/** Retrains once; how the model is afterwards. */
async function retrain(url: string) {
  expect((await fetch(`${url}/retrain`, { method: 'POST' })).status).toBe(202)
  let now = await state(url)
  while (now.training) {
    await setTimeout(20)
    now = await state(url)
  }
  return now
}

it('answers every request while it is retrained ten times', { timeout: 120_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'anneal-server-'))
  const server = await buildServer({ dir, epochs: 20 })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const table = await data.readTable('examples/data/digits.csv')
  const body = { pixels: Array.from(table.drop(['digit']).take([0]).toTensor().data) }
  const load = new Load(`${url}/predict`, body, 100)
  try {
    await setTimeout(500) // what the first requests compile
    load.phase('without training')
    await setTimeout(2000)
    load.phase('while training')
    for (let version = 1; version <= 10; version++) expect((await retrain(url)).version).toBe(version)
    load.phase(null)
    await setTimeout(200)
    for (const [name, histogram] of Object.entries(load.latencies)) {
      console.log(histogramText(name, histogram))
      expect(histogram.count).toBeGreaterThan(50)
    }
    expect(load.failed).toBe(0)
    expect((await state(url)).accuracy).toBeGreaterThan(0.95)
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(await answer.json()).toEqual({ digit: table.column('digit')[0], version: 10 })
    expect(existsSync(join(dir, 'digits.safetensors'))).toBe(true)
    expect(readdirSync(join(dir, 'checkpoints'))).toEqual([])
  } finally {
    await load.stop()
    await server.close()
  }
  const again = await buildServer({ dir }) // a new process starts with the model of the last one
  const { payload } = await again.inject({ method: 'POST', url: '/predict', payload: body })
  expect(JSON.parse(payload).digit).toBe(table.column('digit')[0])
  expect((await again.inject({ method: 'POST', url: '/predict', payload: { pixels: [1] } })).statusCode).toBe(400)
  await again.close()
  expect((await io.load(join(dir, 'digits.safetensors'))).preprocessing).not.toBe(null)
  rmSync(dir, { recursive: true })
})
