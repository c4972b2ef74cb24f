/** Requests at a steady rate from a thread of its own, so that a busy event loop here shows as latency. Not a test. */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'

const client = `
  const { parentPort, workerData: { url, body, perSecond } } = require('node:worker_threads')
  const http = require('node:http')
  const agent = new http.Agent({ keepAlive: true })
  let phase = null
  parentPort.on('message', name => { phase = name })
  const done = (begin, at, status) => {
    if (at !== null) parentPort.postMessage({ phase: at, ms: performance.now() - begin, status })
  }
  const send = (begin, at) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const request = http.request(url, { method: 'POST', agent, headers }, response => {
      response.resume()
      response.on('end', () => done(begin, at, response.statusCode))
    })
    request.on('error', () => done(begin, at, 0))
    request.end(body)
  }
  // From the time at which a request is due: one that is sent late has waited already.
  let due = performance.now()
  setInterval(() => {
    for (const now = performance.now(); due <= now; due += 1000 / perSecond) send(due, phase)
  }, 1)
`

export class Load {
  readonly latencies: Record<string, RecordableHistogram> = {}
  /** Requests that were answered with another status than 200, or not at all. */
  failed = 0
  readonly #worker: Worker

  constructor(url: string, body: object, perSecond: number) {
    this.#worker = new Worker(client, { eval: true, workerData: { url, body: JSON.stringify(body), perSecond } })
    this.#worker.on('message', ({ phase, ms, status }) => {
      this.latencies[phase] ??= createHistogram()
      this.latencies[phase].record(Math.max(1, Math.round(ms * 1000)))
      if (status !== 200) this.failed++
    })
  }

  /** What the requests from now on count as; null: not at all. */
  phase(name: string | null): void {
    this.#worker.postMessage(name)
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** Counts by latency, doubling from 1 ms, as lines of text. */
export function histogramText(name: string, histogram: RecordableHistogram): string {
  const at = (percentile: number) => `${(histogram.percentile(percentile) / 1000).toFixed(1)} ms`
  const head = `${name}: ${histogram.count} requests, p50 ${at(50)}, p99 ${at(99)}, longest ${(histogram.max / 1000).toFixed(1)} ms`
  const shares = [...histogram.percentiles].map(
    ([percent, us]) => `  ${percent.toFixed(1)} % within ${(us / 1000).toFixed(1)} ms`,
  )
  return [head, ...shares.slice(0, -1)].join('\n')
}
