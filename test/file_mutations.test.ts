/** Files of whole models and of checkpoints, spoilt in thousands of ways: refused, or what they say is what is loaded. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callbacks, data, fit, io, nn, optim, preprocessing, random, Tensor } from 'anneal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { driveSync } from '../src/base/drive.js'
import { bytesSource } from '../src/io/source.js'
import { decodeCheckpoint, encodeCheckpoint } from '../src/models/checkpoint.js'
import { pack } from '../src/models/packing.js'
import { type Chance, cases, chance } from './helpers/campaign.js'
import { draftOf, fileOf, mutations, naive, textOf } from './helpers/file_mutations.js'

const folder = mkdtempSync(join(tmpdir(), 'anneal-mutations-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'model.safetensors')

const newModel = () =>
  new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3), new nn.Dropout({ p: 0.25 }), new nn.Linear(3, 2))

let model: Buffer
let checkpoint: Buffer

/** A training that writes checkpoints into `dir` and goes on from what is there. */
function jobIn(dir: string) {
  random.manualSeed(3)
  const net = newModel()
  const rows = new data.TensorDataset(random.randn([12, 2]), new Tensor([12], 'int32', new Int32Array(12).fill(1)))
  const stopping = callbacks.earlyStopping({ monitor: 'trainLoss', restoreBest: true })
  const options = {
    train: new data.DataLoader(rows, { batchSize: 4, shuffle: true }),
    loss: new nn.CrossEntropyLoss(),
    optimizer: new optim.Adam(net.parameters(), { lr: 0.01 }),
    threads: 1,
    callbacks: [stopping, callbacks.checkpoint({ dir })],
    resume: dir,
  }
  return { model: net, options }
}

function train(dir: string, epochs: number) {
  const { model, options } = jobIn(dir)
  return fit(model, { ...options, epochs })
}

beforeAll(async () => {
  const preparing = new preprocessing.OneHotEncoder().fit([[1], [2]])
  await io.save(file, newModel(), { preprocessing: preparing, labels: ['no', 'yes'], notes: 'first' })
  model = readFileSync(file)
  const dir = join(folder, 'run')
  await train(dir, 1)
  checkpoint = readFileSync(join(dir, readdirSync(dir)[0]))
})

type Json = unknown

const oddities = [
  null,
  true,
  -1,
  0,
  0.5,
  2 ** 31,
  1e300,
  '',
  'constructor',
  '__proto__',
  [],
  {},
  { module: 0 },
  { module: 99 },
]

/** A place in a tree: its holder and key. */
function pickPlace(tree: Json, random: Chance): [holder: Record<string, Json>, key: string] | null {
  const places: [Record<string, Json>, string][] = []
  const walk = (node: Json) => {
    if (typeof node !== 'object' || node === null || node instanceof Tensor || ArrayBuffer.isView(node)) return
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, Json>, key])
      walk((node as Record<string, Json>)[key])
    }
  }
  walk(tree)
  return places.length > 0 ? random.pick(places) : null
}

/** A copy of a tree; tensors and arrays of numbers are shared. */
function copyOf(node: Json): Json {
  if (typeof node !== 'object' || node === null || node instanceof Tensor || ArrayBuffer.isView(node)) return node
  if (Array.isArray(node)) return node.map(copyOf)
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, copyOf(value)]))
}

/** Spoils one value of a tree in place; `depth` is that of a nesting that may come in its stead. */
function spoil(tree: Json, random: Chance, depth: number): void {
  const [holder, key] = pickPlace(tree, random)!
  const value = holder[key]
  const [there, name] = pickPlace(tree, random)!
  const instead = [
    random.pick(oddities),
    there[name],
    typeof value === 'number' ? value * random.pick([-1, 2, 1.5]) + 1 : [value],
    JSON.parse('['.repeat(depth) + ']'.repeat(depth)),
  ]
  const way = random.integer(6)
  if (way < 4) holder[key] = copyOf(instead[way])
  else if (way === 4) holder[`${key}2`] = copyOf(value)
  else if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

/** What a file's metadata says, or null. */
function naiveDescription(bytes: Buffer): Record<string, Json> | null {
  try {
    return JSON.parse(draftOf(bytes).metadata?.anneal ?? 'null')
  } catch {
    return null
  }
}

const valuesOf = (tensors: Record<string, Tensor>) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      `${dtype} ${shape} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`,
    ]),
  )

/** Loads a spoilt model; true where it was accepted. */
function tryModel(bytes: Buffer, seed: string): boolean {
  writeFileSync(file, bytes)
  let loaded: ReturnType<typeof io.load.sync>
  try {
    loaded = io.load.sync(file)
  } catch (error) {
    // A sound file without an architecture needs { model }.
    const needsModel = (error as { code?: string }).code === 'ERR_STATE' && !naiveDescription(bytes)?.architecture
    if (!needsModel) expect(error, seed).toMatchObject({ name: 'AnnealError', code: 'ERR_FILE_FORMAT' })
    return false
  }
  expect(valuesOf(loaded.model.stateDict()), seed).toEqual(naive(bytes))
  const said = naiveDescription(bytes)
  expect([loaded.labels, loaded.notes], seed).toEqual([said?.labels, said?.notes])
  const again = { ...(loaded.preprocessing && { preprocessing: loaded.preprocessing }) }
  io.save.sync(file, loaded.model, again)
  const first = readFileSync(file)
  io.save.sync(file, io.load.sync(file).model, again)
  expect(readFileSync(file).equals(first), seed).toBe(true)
  return true
}

const decode = (bytes: Uint8Array) => driveSync('test', decodeCheckpoint(bytesSource('checkpoint', bytes)))

/** Reads a spoilt checkpoint; true where it was accepted. */
function tryCheckpoint(bytes: Buffer, seed: string): boolean {
  try {
    const [got, want] = [bytes, checkpoint].map(b => pack(decode(b)))
    expect(got.text, seed).toBe(want.text)
    expect(valuesOf(got.tensors as never), seed).toEqual(valuesOf(want.tensors as never))
    return true
  } catch (error) {
    expect(error, seed).toMatchObject({ name: 'AnnealError', code: 'ERR_FILE_FORMAT' })
    return false
  }
}

describe.each([
  ['a model', () => model, tryModel],
  ['a checkpoint', () => checkpoint, tryCheckpoint],
])('%s', (_, sound, attempt) => {
  const perKind = Math.ceil(cases(300, 4000) / Object.keys(mutations).length)
  it.each(Object.entries(mutations))(`%s, ${perKind} times`, (name, mutate) => {
    for (let i = 0; i < perKind; i++) {
      const seed = i * 31 + name.length
      const spoilt = mutate(draftOf(Buffer.from(sound())), chance(seed))
      const accepted = attempt(spoilt.bytes, `seed ${seed}`)
      if (spoilt.never) expect(accepted, `seed ${seed}`).toBe(false)
    }
  })

  it('cut at every byte', () => {
    const whole = sound()
    expect(attempt(whole, 'whole')).toBe(true)
    const step = cases(7, 1)
    for (let length = whole.length - 1; length >= 0; length -= step)
      expect(attempt(whole.subarray(0, length), `${length} bytes`)).toBe(false)
  })
})

it(`what a model's file says of its architecture, spoilt`, () => {
  let accepted = 0
  const times = cases(300, 2000)
  for (let seed = 0; seed < times; seed++) {
    const draft = draftOf(Buffer.from(model))
    const description = JSON.parse(draft.metadata!.anneal)
    spoil(description, chance(seed), 1000)
    draft.metadata!.anneal = JSON.stringify(description)
    if (tryModel(fileOf(textOf(draft), draft.data), `seed ${seed}`)) accepted++
  }
  expect(accepted).toBeGreaterThan(0)
  expect(accepted).toBeLessThan(times / 2)
})

it('a state that is refused late leaves model, optimizer and schedule as they were', async () => {
  const state = decode(checkpoint)
  state.streams = (state.streams as Uint8Array[]).map(() => new Uint8Array(5))
  const dir = mkdtempSync(join(folder, 'late-'))
  writeFileSync(join(dir, 'checkpoint-0000000003.safetensors'), Buffer.concat(encodeCheckpoint(state)))
  const job = jobIn(dir)
  const parts = () => JSON.stringify([job.model, job.options.optimizer].map(part => part.stateDict()))
  const before = parts()
  const draws = random.defaultGenerator.getState()
  await expect(fit(job.model, { ...job.options, epochs: 2 })).rejects.toMatchObject({ code: 'ERR_STATE' })
  expect(parts()).toBe(before)
  expect(random.defaultGenerator.getState()).toEqual(draws)
})

it('a state with a checksum that is right, and values that are not: a fit refuses it or ends', async () => {
  const times = cases(30, 1500)
  const outcomes: Record<string, number> = {}
  for (let seed = 0; seed < times; seed++) {
    const state = decode(checkpoint)
    spoil(state, chance(seed), 30)
    const dir = mkdtempSync(join(folder, 'forged-'))
    writeFileSync(join(dir, 'checkpoint-0000000003.safetensors'), Buffer.concat(encodeCheckpoint(state)))
    const outcome = await train(dir, 2).then(
      () => 'ended',
      error => {
        expect(error, `seed ${seed}: ${error.stack}`).toMatchObject({ name: 'AnnealError' })
        return error.code
      },
    )
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    rmSync(dir, { recursive: true })
  }
  expect(Object.keys(outcomes).length).toBeGreaterThan(1)
  expect(outcomes.ended ?? 0).toBeLessThan(times / 2)
})
