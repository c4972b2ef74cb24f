/**
 * The runs that a page shows, and the news of them. One board per port. It holds what a page that is opened late needs:
 * every epoch, thinned out when there are very many. Not here: HTTP (server.ts).
 */

import type { ProgressEvent } from '../../train/history.js'
import { LiveServer } from './server.js'

/** More epochs than this are thinned out to every second one, then every fourth and so on. */
const MOST_POINTS = 4000
/** News are collected for so long, milliseconds. */
const NEWS_MS = 100

export type Status = 'running' | 'done' | 'stopped' | 'failed'

/** What the page is told of a run besides its curves. */
interface RunInfo {
  id: number
  name: string
  epochs: number
  status: Status
  /** What it failed with. */
  error?: string
  /** Since 1970, milliseconds. */
  started: number
  ended?: number
  progress?: ProgressEvent
}

/** Epochs, and figures by name such as `loss/train`: one per epoch; null is no finite number. */
interface Curves {
  epoch: number[]
  figures: Record<string, (number | null)[]>
}

/** A run as it is sent: the points from the index `from` on take the place of what the page has there. */
export type RunNews = RunInfo & Curves & { from: number }

export class LiveRun {
  #curves: Curves = { epoch: [], figures: {} }
  /** Every so many epochs are kept. */
  #stride = 1
  /** Points that all pages have. */
  #sent = 0
  #stop = false
  #factor = 1

  constructor(
    readonly info: RunInfo,
    private readonly scaleRate: (factor: number) => void,
    private readonly changed: (run: LiveRun) => void,
  ) {}

  epoch(epoch: number, figures: readonly (readonly [string, number])[]): void {
    if (epoch % this.#stride === 0 || epoch === 1) {
      const curves = this.#curves
      for (const [name, value] of figures) {
        curves.figures[name] ??= curves.epoch.map(() => null)
        curves.figures[name].push(Number.isFinite(value) ? value : null)
      }
      curves.epoch.push(epoch)
      if (curves.epoch.length > MOST_POINTS) this.#thinOut()
    }
    this.#applyFactor()
    this.changed(this)
  }

  #thinOut(): void {
    this.#stride *= 2
    this.#sent = 0
    const { epoch } = this.#curves
    this.#curves = points(this.#curves, (_, i) => epoch[i] === 1 || epoch[i] % this.#stride === 0)
  }

  /** Everything, for a page that is new. */
  whole(): RunNews {
    return { ...this.info, ...this.#curves, from: 0 }
  }

  /** What has come since the last time. */
  news(): RunNews {
    const from = this.#sent
    this.#sent = this.#curves.epoch.length
    return { ...this.info, ...points(this.#curves, (_, i) => i >= from), from }
  }

  progress(event: ProgressEvent): void {
    this.info.progress = event
    this.#applyFactor()
    this.changed(this)
  }

  /** Between two updates, never while one is computed. */
  #applyFactor(): void {
    if (this.#factor !== 1) this.scaleRate(this.#factor)
    this.#factor = 1
  }

  goesOn(): boolean {
    return !this.#stop
  }

  end(error: unknown): void {
    const { info } = this
    info.status = error !== undefined ? 'failed' : this.#stop ? 'stopped' : 'done'
    if (error !== undefined) info.error = error instanceof Error ? error.message : String(error)
    info.ended = Date.now()
    this.changed(this)
  }

  /** What the page's buttons do; false for a run that is over. */
  command(name: 'stop' | 'lower-rate'): boolean {
    if (this.info.status !== 'running') return false
    if (name === 'stop') this.#stop = true
    else this.#factor /= 2
    return true
  }
}

function points({ epoch, figures }: Curves, kept: (value: unknown, i: number) => boolean): Curves {
  const entries = Object.entries(figures).map(([name, values]) => [name, values.filter(kept)])
  return { epoch: epoch.filter(kept), figures: Object.fromEntries(entries) }
}

export class Board {
  announced = false
  readonly #runs: LiveRun[] = []
  readonly #server: LiveServer
  readonly #news = new Set<LiveRun>()
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly port: number,
    private readonly closed: () => void,
  ) {
    this.#server = new LiveServer({
      snapshot: () => JSON.stringify({ now: Date.now(), runs: this.#runs.map(run => run.whole()) }),
      command: (id, name) => this.#runs[id]?.command(name) ?? false,
    })
  }

  add(name: string | undefined, epochs: number, scaleRate: (factor: number) => void): LiveRun {
    const id = this.#runs.length
    const info = { id, name: name ?? `run ${id + 1}`, epochs, status: 'running' as const, started: Date.now() }
    const run = new LiveRun(info, scaleRate, changed => this.#tell(changed))
    this.#runs.push(run)
    this.#tell(run)
    return run
  }

  url(): Promise<string> {
    return this.#server.listen(this.port)
  }

  keepOpen(): void {
    this.#server.keepOpen()
  }

  async close(): Promise<void> {
    this.closed()
    clearTimeout(this.#timer)
    await this.#server.close()
  }

  #tell(run: LiveRun): void {
    this.#news.add(run)
    // The end is told at once: the process may be about to exit.
    if (run.info.status !== 'running') this.#sendNews()
    else this.#timer ??= setTimeout(() => this.#sendNews(), NEWS_MS).unref()
  }

  #sendNews(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const runs = [...this.#news].map(run => run.news())
    this.#news.clear()
    this.#server.send(JSON.stringify({ now: Date.now(), runs }))
  }
}

const boards = new Map<number, Board>()

/** The board on a port; 0 is one board on a port that is free. */
export function boardOn(port: number): Board {
  const board = boards.get(port) ?? new Board(port, () => boards.delete(port))
  boards.set(port, board)
  return board
}
