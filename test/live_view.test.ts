/** The live view: what its server refuses, and what its page shows and does in headless Chromium. */

import { request } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { callbacks, data, fit, nn, optim, random, type Tensor } from '../src/index.js'
import { chromiumFile, launch, screenshotPath } from './helpers/browser.js'

class Net extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  forward(x: Tensor) {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

const views: callbacks.LiveView[] = []
const view = (options: callbacks.LiveViewOptions = {}) => {
  const made = callbacks.liveView(options)
  views.push(made)
  return made
}

vi.spyOn(process.stderr, 'write').mockReturnValue(true)
afterEach(async () => {
  for (const open of views.splice(0)) await open.close()
})

/** Starts a run that waits after its fourth epoch, and after its eighth, until each is released. */
function start(live: callbacks.LiveView, epochs: number, lr = 0.1) {
  random.manualSeed(0)
  const { X, y } = data.qwerty()
  const dataset = new data.TensorDataset(X, y)
  // Generators of their own: two runs go on at once.
  const own = () => new random.Generator(1)
  const train = new data.DataLoader(dataset, { batchSize: 64, shuffle: true, generator: own() })
  const test = new data.DataLoader(dataset, { batchSize: 128, generator: own() })
  const model = new Net()
  const optimizer = new optim.SGD(model.parameters(), { lr })
  // Awaited: the page has a run that goes on, however slow the machine is.
  const gates = new Map([4, 8].map(epoch => [epoch, gate()]))
  const onEpochEnd = ({ epoch }: { epoch: number }) => gates.get(epoch)?.opened
  const options = { train, test, loss: new nn.CrossEntropyLoss(), optimizer, epochs, onEpochEnd, callbacks: [live] }
  const history = fit(model, options)
  return { history, release: (epoch: number) => gates.get(epoch)!.open() }
}

function gate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open, opened }
}

interface Ask {
  method?: string
  path?: string
  headers?: Record<string, string>
}

/** Status and text of an answer. */
function ask(url: string, { method = 'GET', path, headers }: Ask = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const to = new URL(url)
    const options = { port: to.port, host: '127.0.0.1', method, path: path ?? to.pathname + to.search, headers }
    const sent = request(options, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', chunk => {
        text += chunk
        // Events never end.
        if (answer.headers['content-type'] === 'text/event-stream') {
          sent.destroy()
          resolve({ status: answer.statusCode!, text })
        }
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, text }))
    })
    sent.on('error', reject).end()
  })
}

describe('the server', () => {
  it('shows nothing without the token, under another host name, or on another interface', async () => {
    const live = view()
    const { history, release } = start(live, 5)
    const url = await live.url()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/)
    expect((await ask(url)).text).toContain('<title>anneal: live view</title>')
    const { port, search } = new URL(url)
    expect((await ask(url, { path: `/events${search}` })).text).toMatch(/^event: snapshot\ndata: \{"now":/)
    for (const path of ['/', '/events', '/?token=', `/?token=${'A'.repeat(32)}`, '/events?token=x'])
      expect((await ask(url, { path })).status, path).toBe(403)
    for (const host of [`example.com:${port}`, 'localhost', `127.0.0.1:${Number(port) + 1}`])
      expect((await ask(url, { headers: { host } })).status, host).toBe(403)
    expect((await ask(url, { headers: { host: `localhost:${port}` } })).status).toBe(200)
    expect((await ask(url, { path: `/../package.json${search}` })).status).toBe(404)
    expect((await ask(url, { method: 'PUT' })).status).toBe(403)
    release(4)
    await history
  })

  it('lets no other page press a button', async () => {
    const live = view()
    const { history, release } = start(live, 6)
    const url = await live.url()
    const { origin, searchParams } = new URL(url)
    const headers = { origin, 'x-anneal-token': searchParams.get('token')! }
    const press = (more: object, path = '/runs/0/lower-rate') =>
      ask(url, { method: 'POST', path, headers: { ...headers, ...more } }).then(({ status }) => status)
    expect(await press({ origin: 'http://example.com' })).toBe(403)
    expect(await press({ origin: 'null' })).toBe(403)
    expect(await press({ 'x-anneal-token': 'guess' })).toBe(403)
    expect(await press({ host: 'example.com' })).toBe(403)
    expect(await press({}, '/runs/0/format-disk')).toBe(404)
    expect(await press({}, '/runs/7/stop')).toBe(409)
    expect(await press({})).toBe(202)
    release(4)
    expect((await history).lr.at(-1)).toBe(0.05)
    expect(await press({})).toBe(409) // it is over
  })

  it('a port that is taken does not end the training', async () => {
    const first = view()
    const { history, release } = start(first, 4)
    release(4)
    const port = Number(new URL(await first.url()).port)
    const second = view({ port })
    const other = start(second, 4)
    other.release(4)
    await expect(second.url()).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect((await other.history).trainLoss).toHaveLength(4)
    await history
  })

  it.each([
    [{ port: -1 }, RangeError, /port to be an integer at least 0/],
    [{ open: 1 }, TypeError, /open to be a boolean/],
    [{ name: 1 }, TypeError, /name to be a string/],
    [{ host: '0.0.0.0' }, TypeError, /host/],
  ])('refuses %j', (options, kind, message) => {
    expect(() => callbacks.liveView(options as never)).toThrow(kind)
    expect(() => callbacks.liveView(options as never)).toThrow(message)
  })
})

const here = chromiumFile !== undefined
describe.skipIf(!here)(`the page (${here ? 'Chromium' : 'skipped: no Chromium'})`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  }, 60_000)
  afterAll(() => browser?.close())

  const errors: string[] = []
  async function open(url: string, more: { width?: number; colorScheme?: 'light' | 'dark' } = {}): Promise<Page> {
    const { width = 1100, colorScheme = 'light' } = more
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    page.setDefaultTimeout(20_000)
    page.on('pageerror', error => errors.push(error.message))
    page.on('console', message => message.type() === 'error' && errors.push(message.text()))
    page.on('request', sent => {
      if (new URL(sent.url()).host !== new URL(url).host && !sent.url().startsWith('data:')) errors.push(sent.url())
    })
    await page.goto(url)
    return page
  }

  const shot = async (page: Page, name: string) => {
    const path = screenshotPath(name)
    if (path) await page.screenshot({ path, fullPage: true })
  }
  const statuses = (page: Page) => page.locator('.run .status').allTextContents()
  /** Waits until the cards' texts hold these. */
  const until = (page: Page, selector: string, text: string) =>
    page.locator(selector, { hasText: text }).first().waitFor()
  /** The columns of a chart, as uPlot has them. */
  const columns = (page: Page, kind: string) =>
    page.evaluate(name => (globalThis as never as { shown(kind: string): unknown }).shown(name), kind)

  it('shows two runs side by side with the values of their histories, late, reloaded, and after the end', async () => {
    const [one, two] = [view({ name: 'small rate' }), view({ name: 'large rate' })]
    const runs = [start(one, 30, 0.02), start(two, 12, 0.5)]
    const url = await one.url()
    expect(await two.url()).toBe(url)
    const page = await open(url)
    await until(page, '.run dd', '4 / 30')
    await until(page, '.run dd', '4 / 12')
    expect(await statuses(page)).toEqual(['running', 'running'])
    await shot(page, 'live-light')
    const phone = await open(url, { width: 390 })
    await until(phone, '.run dd', '4 / 12')
    expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await shot(phone, 'live-phone')
    const dark = await open(url, { colorScheme: 'dark' })
    await until(dark, '.run dd', '4 / 12')
    await shot(dark, 'live-dark')

    for (const run of runs) for (const epoch of [4, 8]) run.release(epoch)
    const [small, large] = await Promise.all(runs.map(run => run.history))
    await expect.poll(() => statuses(page), { timeout: 20_000 }).toEqual(['done', 'done'])
    const padded = (values: number[]) => [...values, ...Array(30 - values.length).fill(undefined)]
    const expected = [
      Array.from({ length: 30 }, (_, i) => i + 1),
      ...[small.trainLoss, small.testLoss!, large.trainLoss, large.testLoss!].map(padded),
    ]
    await expect.poll(() => columns(page, 'loss'), { timeout: 20_000 }).toEqual(expected)
    await page.reload()
    await expect.poll(() => columns(page, 'loss'), { timeout: 20_000 }).toEqual(expected)
    expect(await page.locator('.run button:visible').count()).toBe(0)
    await page.getByRole('button', { name: 'log' }).first().click()
    await shot(page, 'live-end')
    await one.close()
    await until(page, '#connection', 'the program has ended')
    expect(await columns(page, 'accuracy')).toHaveLength(5)
    await shot(page, 'live-gone')
    errors.splice(0) // the connection that is gone is an error of the console
    await Promise.all([page, phone, dark].map(open => open.close()))
  }, 120_000)

  it('stops a run and halves its rate by its buttons', async () => {
    const live = view()
    const { history, release } = start(live, 1_000_000)
    const page = await open(await live.url())
    await until(page, '.run dd', '4 / 1000000')
    const halve = page.getByRole('button', { name: 'Halve the rate' })
    await halve.click()
    await halve.click() // it is there again when the first is answered
    release(4)
    await until(page, '.run dd', '8 / 1000000')
    await page.getByRole('button', { name: 'Stop' }).click()
    await until(page, '.run button:disabled', 'Stop')
    release(8)
    const { trainLoss, lr } = await history
    expect(trainLoss).toHaveLength(9)
    expect(lr[0]).toBe(0.1)
    expect(lr.at(-1)).toBe(0.025)
    await until(page, '.run .status', 'stopped')
    expect(errors).toEqual([])
    await page.close()
  }, 60_000)
})
