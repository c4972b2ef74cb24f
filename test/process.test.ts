/** What only shows from outside: how a process that trains ends, what memory it takes, whether its event loop stays free. */

import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { lecture, longFit, outputOf, runProgram } from './helpers/program.js'

const packageUrl = new URL('../dist/index.js', import.meta.url).href

describe('the end in the middle of a fit', () => {
  it('process.exit() ends the process soon, with its code', () => {
    const code = `${longFit}
      fit(model, options)
      setTimeout(() => { console.log(Date.now()); process.exit(7) }, 300)`
    const { status, signal, stdout, stderr } = runProgram(code)
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' })
    expect(Date.now() - Number(stdout)).toBeLessThan(2000)
  })

  it('an uncaught error ends the process with its message', () => {
    const code = `${longFit}
      fit(model, options)
      setTimeout(() => { throw new Error('mine') }, 300)`
    const { status, signal, stderr } = runProgram(code)
    expect({ status, signal }).toEqual({ status: 1, signal: null })
    expect(stderr).toContain('mine')
  })

  it('SIGTERM ends the process by that signal', () => {
    const code = `${longFit}
      fit(model, options)
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 300)`
    expect(runProgram(code)).toMatchObject({ status: null, signal: 'SIGTERM' })
  })

  it('worker.terminate() waits for a chunk and no more, many times over', async () => {
    const code = `(async () => {
      const anneal = await import(${JSON.stringify(packageUrl)})
      ${longFit}
      require('node:worker_threads').parentPort.postMessage('running')
      await fit(model, options)
    })()`
    for (let round = 0; round < 4; round++) {
      const worker = new Worker(code, { eval: true })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await new Promise(resolve => setTimeout(resolve, 50 * round))
      const begin = performance.now()
      await worker.terminate()
      expect(performance.now() - begin).toBeLessThan(1500)
    }
  })
})

it('many workers train at once, each on its own', async () => {
  const code = `(async () => {
    const anneal = await import(${JSON.stringify(packageUrl)})
    ${lecture}
    const { trainLoss } = await fit(model, options)
    require('node:worker_threads').parentPort.postMessage(trainLoss.at(-1))
  })()`
  const losses = await Promise.all(
    Array.from({ length: 16 }, () => {
      const worker = new Worker(code, { eval: true })
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    }),
  )
  expect(new Set(losses).size).toBe(1)
}, 60_000)

/**
 * Expects a process to have grown by less than 5 MB. What is resident is the system's business too, and beside other
 * processes it is sometimes late to take memory back: growth that is ours shows in each of three processes.
 */
function expectFlat(code: string, flags: readonly string[] = []): void {
  const grown: number[] = []
  while (grown.length < 3 && Math.min(...grown) >= 5) grown.push(Number(outputOf(code, {}, [...flags])))
  expect(Math.min(...grown), `MB in ${grown.length} processes: ${grown}`).toBeLessThan(5)
}

describe('memory', () => {
  it('stays flat over 1e5 steps of the explicit loop without an await', () => {
    const code = `${lecture}
      const [x, labels] = train[Symbol.iterator]().next().value
      const seen = []
      for (let i = 1; i <= 1e5; i++) {
        optimizer.zeroGrad()
        loss.forward(model.forward(x), labels).backward()
        optimizer.step()
        if (i === 1e4 || i === 1e5) seen.push(process.memoryUsage.rss() / 2 ** 20)
      }
      console.log(seen[1] - seen[0])`
    expectFlat(code)
  }, 120_000)

  it('stays flat over 1e6 steps of the plan in many fits', () => {
    const code = `${lecture}
      const seen = []
      for (let look = 0; look < 10; look++) {
        for (let done = 0; done < 1e5; done += 23 * 20) await fit(model, { train, test, loss, optimizer, epochs: 20 })
        gc()
        seen.push(process.memoryUsage.rss() / 2 ** 20)
      }
      console.log(seen[9] - seen[0])`
    // The young generation keeps one size: V8 enlarges it at some point, which is no growth of ours.
    expectFlat(code, ['--expose-gc', '--min-semi-space-size=8', '--max-semi-space-size=8'])
  }, 240_000)
})

it('timers go on firing while a fit runs', () => {
  const code = `${longFit}
    let ticks = 0
    const controller = new AbortController()
    const timer = setInterval(() => ticks++, 5)
    setTimeout(() => controller.abort(), 1000)
    await fit(model, { ...options, signal: controller.signal }).catch(() => {})
    clearInterval(timer)
    console.log(ticks)`
  expect(Number(outputOf(code))).toBeGreaterThan(20)
})
