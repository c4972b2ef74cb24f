/** The global generator while a fit has taken its engine over: a fork for all others, and what comes back at the end. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { data, fit, nn, optim, random, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { explicitLoop, makeJob, stateOf } from './helpers/training.js'

const MASK = 2n ** 64n - 1n

/** SplitMix64 of one state, as its authors publish it. */
function splitMix64(state: bigint): bigint {
  let z = (state + 0x9e3779b97f4a7c15n) & MASK
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
  return z ^ (z >> 31n)
}

/** The fork of the stream that the global generator would give from here on; leaves it as it is. */
function forkOf(generator: random.Generator): random.Generator {
  const copy = new random.Generator().setState(generator.getState())
  return new random.Generator(splitMix64(copy.random64()) & 0xffffffffn)
}

const job = () => makeJob({ optimizer: model => new optim.SGD(model.parameters(), { lr: 0.1 }), withTest: false })
/** A fit that is not over when the call returns. */
const run = ({ model, train, loss, optimizer } = job(), more: object = {}) =>
  fit(model, { train, loss, optimizer, epochs: 4, onEpochEnd: () => nextTurn(), ...more })
const draw = () => random.defaultGenerator.random64()
const generator = random.defaultGenerator

describe('the global generator during a fit', () => {
  it('is a fork for others, and goes on afterwards as after the explicit loop', async () => {
    const [one, other] = [job(), job()]
    generator.manualSeed(12)
    generator.normal_(new Float32Array(1)) // leaves a kept normal
    explicitLoop(one, 4)
    const after = generator.getState()

    generator.manualSeed(12)
    generator.normal_(new Float32Array(1))
    const fork = forkOf(generator)
    const running = run(other)
    expect(generator.normal_(new Float32Array(3))).toEqual(fork.normal_(new Float32Array(3)))
    await nextTurn()
    expect([draw(), draw()]).toEqual([fork.random64(), fork.random64()])
    expect(generator.initialSeed()).toBe(12n)
    await running
    expect(generator.getState()).toEqual(after)
    expect(stateOf(other)).toEqual(stateOf(one))
  })

  it.each([['the first'], ['the second']])('two runs, each on the fork before it: %s ends first', async first => {
    const jobs = [job(), job()]
    const alone = job()
    generator.manualSeed(5)
    const fork = forkOf(generator)
    await run(alone)
    const after = generator.getState()

    generator.manualSeed(5)
    const epochs = first === 'the first' ? 12 : 1
    const running = jobs.map((made, i) => run(made, { epochs: i === 0 ? 4 : epochs }))
    const inner = forkOf(fork)
    expect(draw()).toBe(inner.random64())
    await Promise.all(running)
    expect(generator.getState()).toEqual(after)
    expect(stateOf(jobs[0])).toEqual(stateOf(alone))

    const second = job()
    generator.setState(fork.getState())
    await run(second, { epochs })
    expect(stateOf(jobs[1])).toEqual(stateOf(second))
  })

  it('that is seeded meanwhile stays seeded', async () => {
    const running = run()
    random.manualSeed(2)
    const wanted = new random.Generator(2)
    expect(draw()).toBe(wanted.random64())
    await running
    expect(draw()).toBe(wanted.random64())
    const [again, state] = [run(), wanted.getState()]
    generator.setState(state)
    await again
    expect(draw()).toBe(wanted.random64())
  })

  it('comes back after an abort and an error, and is that of a run without draws all along', async () => {
    const failing = job()
    generator.manualSeed(2)
    await expect(
      run(failing, {
        onEpochEnd() {
          throw new Error('mine')
        },
      }),
    ).rejects.toThrow('mine')
    const fewer = job()
    const state = () => {
      const now = generator.getState()
      generator.manualSeed(2)
      return now
    }
    generator.manualSeed(2)
    explicitLoop(fewer, 1)
    const afterOne = state()
    await expect(run(job7(), { onEpochEnd: () => Promise.reject(new Error('mine')) })).rejects.toThrow('mine')
    expect(state()).toEqual(afterOne)
    const { model, loss, optimizer, train } = job()
    generator.manualSeed(3)
    const next = new random.Generator(3)
    const own = new data.DataLoader(train.dataset, { batchSize: 16, generator: new random.Generator(1) })
    const running = fit(model, { train: own, loss, optimizer, epochs: 3 })
    expect(draw()).toBe(next.random64()) // it draws from another one
    await running
    expect(draw()).toBe(next.random64())
  })

  it("callbacks draw from the run's stream, across their awaits; a fit among them, too", async () => {
    const [explicit, asynchronous] = [[] as bigint[], [] as bigint[]]
    const [one, other] = [job(), job()]
    generator.manualSeed(7)
    for (let epoch = 0; epoch < 3; epoch++) {
      explicitLoop(one, 1)
      explicit.push(draw(), draw())
      explicitLoop(job7(), 1)
    }
    const after = draw()

    generator.manualSeed(7)
    const onEpochEnd = async () => {
      asynchronous.push(draw())
      await nextTurn()
      await new Promise(resolve => setTimeout(resolve, 2))
      asynchronous.push(draw())
      await run(job7(), { epochs: 1 })
    }
    const running = run(other, { epochs: 3, onEpochEnd })
    const outside = setInterval(draw, 1)
    await running
    clearInterval(outside)
    expect(asynchronous).toEqual(explicit)
    expect(draw()).toBe(after)
    expect(stateOf(other)).toEqual(stateOf(one))
  })

  it('what a callback leaves behind draws from outside once the run is over', async () => {
    let late: Promise<bigint> = Promise.resolve(0n)
    let go = () => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    await run(job(), {
      epochs: 1,
      onEpochEnd() {
        late = gate.then(draw)
      },
    })
    generator.manualSeed(9)
    go()
    expect(await late).toBe(new random.Generator(9).random64())
  })

  it('an explicit generator stays refused to others, and open to callbacks', async () => {
    const { model, loss, optimizer, train } = job()
    const own = new random.Generator(4)
    const loader = new data.DataLoader(train.dataset, { batchSize: 16, shuffle: true, generator: own })
    const options = { train: loader, loss, optimizer, epochs: 3 }
    const busy = expect.objectContaining({ code: 'ERR_BUSY', message: expect.stringContaining('of your own') })
    let drawn = 0
    const running = fit(model, {
      ...options,
      onEpochEnd: async () => {
        await nextTurn()
        own.randperm(2)
        drawn++
      },
    })
    expect(() => own.randperm(2)).toThrow(busy)
    const rival = new nn.Sequential(new nn.Linear(4, 3))
    const sgd = new optim.SGD(rival.parameters(), { lr: 0.1 })
    await expect(fit(rival, { ...options, optimizer: sgd })).rejects.toThrow(busy)
    expect(rival.parameters()[0].hold).toBeNull()
    await running
    expect(drawn).toBe(3)
    expect(own.randperm(2).length).toBe(2)
  })
})

/** A job whose making draws nothing from the global generator. */
function job7() {
  const state = generator.getState()
  const made = job()
  generator.setState(state)
  return made
}

it('tensors are drawn from the fork, too', async () => {
  const made = job()
  generator.manualSeed(6)
  const fork = forkOf(generator)
  const running = run(made)
  expect(random.rand([2])).toEqual(tensor(fork.uniform_(new Float32Array(2))))
  await running
})
