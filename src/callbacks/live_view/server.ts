/**
 * The page's server: on the loopback interface only, and only for who knows the token. A page of another site can neither
 * read nor press anything: the Host must be this machine's own (no rebound name), a button's Origin this page, and the
 * token is sent in a header that no form can set. Knows no runs.
 */

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import nodeModule from 'node:module'
import type { AddressInfo, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireOptional } from '../../base/optional.js'

export interface Source {
  /** Everything there is to show, as JSON. */
  snapshot(): string
  /** A button; false where there is nothing to press. */
  command(run: number, name: 'stop' | 'lower-rate'): boolean
}

interface Reply {
  status: number
  text?: string
  type?: string
}

/** Not called `require`, and no literal URLs: bundlers would look for the files themselves. */
const packages = nodeModule.createRequire(import.meta.url)
const assets = join(dirname(fileURLToPath(import.meta.url)), '../../../assets/live')
const own = (name: string) => join(assets, name)

/** What is served without a token: it says nothing about a run. */
const files: Record<string, { type: string; path: () => string }> = {
  '/page.js': { type: 'text/javascript', path: () => own('page.js') },
  '/style.css': { type: 'text/css', path: () => own('style.css') },
  '/uplot.js': { type: 'text/javascript', path: () => packages.resolve('uplot/dist/uPlot.iife.min.js') },
  '/uplot.css': { type: 'text/css', path: () => packages.resolve('uplot/dist/uPlot.min.css') },
}

const headers = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export class LiveServer {
  readonly #token = randomBytes(24).toString('base64url')
  readonly #pages = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  #listening: Promise<string> | undefined
  #keepsOpen = false

  constructor(private readonly source: Source) {
    // Now, so that what is missing is said before a training begins.
    requireOptional('liveView', ['uplot'], () => packages.resolve('uplot/dist/uPlot.iife.min.js'))
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      if (!this.#keepsOpen) socket.unref()
    })
    this.#server.unref()
  }

  /** Begins to listen, once. The address with the token. */
  listen(port: number): Promise<string> {
    this.#listening ??= new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => resolve(`${this.#origins()[0]}/?token=${this.#token}`))
    })
    return this.#listening
  }

  /** From now on the process lives as long as the server. */
  keepOpen(): void {
    this.#keepsOpen = true
    this.#server.ref()
  }

  async close(): Promise<void> {
    await this.#listening?.catch(() => {})
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  /** To all pages that are open. One that does not read is let go: it will come back for a snapshot. */
  send(json: string): void {
    for (const page of this.#pages) {
      if (page.writableLength > 16 * 2 ** 20) page.destroy()
      else page.write(`data: ${json}\n\n`)
    }
  }

  #origins(): string[] {
    const { port } = this.#server.address() as AddressInfo
    return [`http://127.0.0.1:${port}`, `http://localhost:${port}`]
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const reply = this.#reply(request)
    if (reply === 'events') this.#open(response)
    else {
      const type = `${reply.type ?? 'text/plain'}; charset=utf-8`
      response.writeHead(reply.status, { ...headers, 'content-type': type }).end(reply.text)
    }
  }

  #reply({ method, url, headers: { host, origin, 'x-anneal-token': pressed } }: IncomingMessage): Reply | 'events' {
    const origins = this.#origins()
    if (!origins.includes(`http://${host}`)) return { status: 403, text: 'expected the name of this machine as Host' }
    const { pathname, searchParams } = new URL(url ?? '/', origins[0])
    if (method === 'GET' && Object.hasOwn(files, pathname)) {
      const { type, path } = files[pathname]
      return { status: 200, text: readFileSync(path(), 'utf8'), type }
    }
    if (!this.#knows(method === 'GET' ? searchParams.get('token') : pressed))
      return { status: 403, text: 'expected the address with its token, as it was written to the terminal' }
    if (method === 'POST') return { status: this.#press(origin, pathname) }
    if (method !== 'GET') return { status: 405 }
    if (pathname === '/') return { status: 200, text: readFileSync(own('index.html'), 'utf8'), type: 'text/html' }
    return pathname === '/events' ? 'events' : { status: 404 }
  }

  #knows(given: unknown): boolean {
    const [a, b] = [String(given), this.#token].map(text => Buffer.from(text))
    return a.length === b.length && timingSafeEqual(a, b)
  }

  /** A button: `/runs/0/stop`. */
  #press(origin: string | undefined, path: string): number {
    if (!this.#origins().includes(origin ?? '')) return 403
    const [, run, name] = /^\/runs\/(\d+)\/(stop|lower-rate)$/.exec(path) ?? []
    if (!run) return 404
    return this.source.command(Number(run), name as 'stop' | 'lower-rate') ? 202 : 409
  }

  #open(response: ServerResponse): void {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
    response.write(`event: snapshot\ndata: ${this.source.snapshot()}\n\n`)
    this.#pages.add(response)
    response.on('close', () => this.#pages.delete(response))
  }
}
