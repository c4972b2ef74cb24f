/** The HTML report as a browser lays it out: on a telephone, in the dark, on paper. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { htmlReport, lineChart } from '../src/report/index.js'
import { chromiumFile, launch, screenshotPath } from './helpers/browser.js'

const here = chromiumFile !== undefined
describe.skipIf(!here)(`a report in a browser (${here ? 'Chromium' : 'skipped: no Chromium'})`, () => {
  let browser: Browser
  let html: string
  beforeAll(async () => {
    browser = await launch()
    const chart = { title: 'Loss', xLabel: 'epoch', yLabel: 'nats', series: [{ name: 'a', values: [3, 2, 1] }] }
    const wide = (await lineChart(chart)).svg
    const narrow = (await lineChart({ ...chart, width: 360, height: 300 })).svg
    const row = {
      'a rather long name': 'MultiStepLR: ×0.1',
      'train loss': 0.123456,
      'test loss': 0.123456,
      accuracy: 0.97,
    }
    const text = 'Every section has a paragraph, a table and two pictures. '.repeat(6)
    const section = { text, table: [row, row], svg: [{ wide, narrow }, wide] }
    const sections = ['One', 'Two', 'Three'].map(heading => ({ heading, ...section }))
    html = htmlReport({ title: 'A report', sections })
  }, 60_000)
  afterAll(() => browser?.close())

  async function open(width: number, colorScheme: 'light' | 'dark') {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
    await page.setContent(html)
    const path = screenshotPath(`report-${width}-${colorScheme}`)
    if (path) await page.screenshot({ path, fullPage: true })
    return page
  }

  it('fits a telephone of 390 pixels, with pictures drawn for it and letters of a readable size', async () => {
    const page = await open(390, 'light')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    expect(await page.locator('.narrow:visible').count()).toBe(3)
    expect(await page.locator('.wide:visible').count()).toBe(0)
    const letters = await page.locator('.narrow text').first().boundingBox()
    expect(letters!.height).toBeGreaterThan(11)
    await page.close()
  })

  it('is dark where the reader wants that, pictures too', async () => {
    const page = await open(900, 'dark')
    const colors =
      'getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.querySelector("figure svg")).filter'
    expect(await page.evaluate(colors)).toBe('rgb(18, 18, 18) invert(0.93) hue-rotate(180deg)')
    await page.close()
  })

  it('prints without a blank page or a heading alone at the end of one', async () => {
    const page = await open(900, 'dark')
    const pdf = (await page.pdf({ format: 'A4' })).toString('latin1')
    // Per section about 16 cm of the 26.7 cm that a page holds.
    expect(pdf.match(/\/Type \/Page\b(?!s)/g)!.length).toBeLessThanOrEqual(3)
    await page.emulateMedia({ media: 'print' })
    const rules =
      'getComputedStyle(document.querySelector("h2")).breakAfter + getComputedStyle(document.body).backgroundColor'
    expect(await page.evaluate(rules)).toMatch(/^avoid(rgb\(255, 255, 255\)|rgba\(0, 0, 0, 0\))/)
    await page.close()
  })
})
