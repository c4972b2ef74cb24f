/** Charts, tables, the HTML report and the progress display, by what a reader would see of them. */

import { Resvg } from '@resvg/resvg-js'
import { DOMParser } from 'linkedom'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { missingPackage } from '../src/base/optional.js'
import * as report from '../src/report/index.js'

const epochs = Array.from({ length: 20 }, (_, i) => i + 1)
const falling = epochs.map(epoch => 1 / epoch)
const options: report.LineChartOptions = {
  title: 'Loss <of> "both" & more',
  subtitle: 'seed 0',
  xLabel: 'epoch',
  yLabel: 'cross-entropy loss (nats)',
  series: [
    { name: 'dynamic & halved', values: falling },
    { name: 'static', values: falling.map(value => value / 2) },
  ],
}
const series = (count: number) => Array.from({ length: count }, (_, k) => ({ name: `curve ${k}`, values: [k, k + 1] }))

interface Node {
  textContent: string
  getAttribute(name: string): string | null
}
const parse = (svg: string) => new DOMParser().parseFromString(svg, 'image/svg+xml')
const select = (svg: string, selector: string) => [...parse(svg).querySelectorAll(selector)] as unknown as Node[]
const texts = (svg: string) => select(svg, 'text').map(node => node.textContent)
const ids = (svg: string) => [...svg.matchAll(/\sid="([^"]+)"/g)].map(match => match[1])

/** RGBA pixels of a PNG, decoded by putting it into an SVG. */
function pixels(png: Uint8Array, width: number, height: number): Uint8Array {
  const href = `data:image/png;base64,${Buffer.from(png).toString('base64')}`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="${href}"/></svg>`
  return new Resvg(svg).render().pixels
}

function darkPixels(
  data: Uint8Array,
  width: number,
  area: { left: number; top: number; right: number; bottom: number },
): number {
  let count = 0
  for (let y = area.top; y < area.bottom; y++) {
    for (let x = area.left; x < area.right; x++) if (data[4 * (y * width + x)] < 128) count++
  }
  return count
}

describe('lineChart', () => {
  it('is an SVG of the stated size that holds title, subtitle, axis titles, legend and ticks', async () => {
    const { svg } = await report.lineChart({ ...options, width: 640, height: 360 })
    const root = select(svg, 'svg')[0]
    expect([root.getAttribute('width'), root.getAttribute('height')]).toEqual(['640', '360'])
    const { title, subtitle, xLabel, yLabel } = options
    expect(texts(svg)).toEqual(
      expect.arrayContaining([title, subtitle, xLabel, yLabel, 'dynamic & halved', 'static', '10', '20', '0.0', '1.0']),
    )
    expect(root.getAttribute('font-family')).toMatch(/^Arimo, Arial, .*sans-serif$/)
  })

  it('tells series apart by dash pattern and marker, not only by colour', async () => {
    const { svg } = await report.lineChart({ ...options, series: series(6) })
    const lines = select(svg, 'g[aria-label="line"]')
    const dashes = lines.map(line => line.getAttribute('stroke-dasharray'))
    expect(lines).toHaveLength(6)
    expect(new Set(dashes).size).toBe(6)
    expect(new Set(lines.map(line => line.getAttribute('stroke'))).size).toBe(6)
    const firstMarkers = select(svg, 'g[aria-label="dot"]').map(group =>
      parse(`${group}`).querySelector('path,circle')?.toString(),
    )
    expect(new Set(firstMarkers.slice(0, 6).map(shape => shape?.replace(/transform="[^"]*"/, ''))).size).toBe(6)
  })

  it('draws the same text for the same input, without ids that two charts in a page could share', async () => {
    const ranged = (low: number) => report.lineChart({ ...options, yDomain: [low, 0.9] })
    expect((await ranged(0)).svg).toBe((await ranged(0)).svg)
    expect(ids((await ranged(0.1)).svg)).toEqual([])
  })

  it('gives a run one colour and marker, dashes and hollow markers to its test figures', async () => {
    const { svg } = await report.lineChart({
      ...options,
      series: ['dynamic', 'static'].flatMap(run => [
        { name: `${run}, training`, run, values: falling },
        { name: `${run}, test`, run, values: falling, dashed: true },
      ]),
    })
    const looks = select(svg, 'g[aria-label="line"]').map(line => [
      line.getAttribute('stroke'),
      line.getAttribute('stroke-dasharray'),
    ])
    expect(looks).toEqual([
      ['#0072b2', null],
      ['#0072b2', '7 4'],
      ['#d55e00', null],
      ['#d55e00', '7 4'],
    ])
    const fills = select(svg, 'g[aria-label="dot"]').map(group => group.getAttribute('fill'))
    expect(fills.slice(0, 4)).toEqual(['#0072b2', '#ffffff', '#d55e00', '#ffffff'])
  })

  it('draws the deviation as a band that the axis holds, on a logarithmic axis down to its end', async () => {
    const banded = { name: 'mean', values: [2, 2, 2], deviation: [1, 0.5, 3] }
    const band = async (more: object) => {
      const { svg } = await report.lineChart({ ...options, series: [banded], ...more })
      return { svg, path: select(svg, 'g[aria-label="area"] path')[0].getAttribute('d')! }
    }
    const ticks = (svg: string) => texts(svg).map(text => Number(text.replace('−', '-')))
    const linear = await band({})
    expect(Math.min(...ticks(linear.svg).filter(Number.isFinite))).toBeLessThanOrEqual(-1)
    expect(Math.max(...ticks(linear.svg).filter(Number.isFinite))).toBeGreaterThanOrEqual(5)
    expect(linear.path).not.toContain('NaN')
    expect((await band({ yScale: 'log' })).path).not.toMatch(/NaN|Infinity/)
    // Cut off at 2.7: no y of the band lies above the frame.
    const cut = await band({ yDomain: [0, 2.7] })
    const top = Number(select(cut.svg, 'rect[aria-label="frame"]')[0].getAttribute('y'))
    const heights = [...cut.path.matchAll(/[\d.]+,([\d.]+)/g)].map(match => Number(match[1]))
    expect(heights.length).toBeGreaterThan(6)
    expect(Math.min(...heights)).toBeCloseTo(top, 0)
  })

  it('has ticks at whole epochs only', async () => {
    for (const length of [1, 2, 3, 4, 7]) {
      const { svg } = await report.lineChart({ ...options, series: [{ name: 'a', values: falling.slice(0, length) }] })
      const ticks = select(svg, 'g[aria-label="x-axis tick label"] text').map(node => node.textContent)
      expect(ticks.length).toBeGreaterThan(0)
      for (const tick of ticks) expect(tick, `${length} epochs`).toMatch(/^\d+$/)
    }
  })

  it('cuts lines at the ends of yDomain where they cross it, and draws whole markers of the points within', async () => {
    const { svg } = await report.lineChart({
      ...options,
      yDomain: [0, 1],
      series: [{ name: 'a', values: [1, 0.5, 3, 0, -1, -2, 2] }],
    })
    const path = select(svg, 'g[aria-label="line"] path')[0].getAttribute('d')!
    // Two pieces: up to the crossing before 3, down after it to 0; and from below to above.
    expect(path.match(/M/g)).toHaveLength(3)
    expect(svg).not.toContain('clip')
    expect(parse(svg).querySelectorAll('g[aria-label="dot"] circle')).toHaveLength(3)
  })

  it('a level line at the end of yDomain does not end the process', async () => {
    const level = { ...options, yDomain: [0, 1] as [number, number], series: [{ name: 'a', values: [1, 1, 1] }] }
    expect((await (await report.lineChart(level)).png(1)).length).toBeGreaterThan(1000)
  })

  it('keeps small tick values apart on linear and logarithmic axes', async () => {
    const rates = { ...options, series: [{ name: 'lr', values: [0.01, 0.005, 0.0025, 0.00125], step: true }] }
    expect(texts((await report.lineChart(rates)).svg)).toEqual(
      expect.arrayContaining(['0.000', '0.002', '0.004', '0.010']),
    )
    const log = texts((await report.lineChart({ ...rates, yScale: 'log' })).svg)
    expect(log).toEqual(expect.arrayContaining(['0.001', '0.002', '0.005', '0.01']))
  })

  it('has ticks on a logarithmic axis whatever the range', async () => {
    for (const [low, high] of [
      [3, 4],
      [2e-5, 3e-5],
      [1, 1e12],
      [0.0109, 2],
    ] as const) {
      const { svg } = await report.lineChart({
        ...options,
        yScale: 'log',
        yDomain: [low, high],
        series: [{ name: 'a', values: [low, high] }],
      })
      const ticks = select(svg, 'g[aria-label="y-axis tick label"] text')
      expect(ticks.length, `${low} to ${high}`).toBeGreaterThanOrEqual(2)
      expect(ticks.length, `${low} to ${high}`).toBeLessThanOrEqual(12)
    }
  })

  it('leaves gaps for values that cannot be drawn, and draws a single and a constant value', async () => {
    const { svg } = await report.lineChart({
      ...options,
      yScale: 'log',
      series: [{ name: 'gaps', values: [1, 0, NaN, 10, Infinity, 100, 1000] }],
    })
    expect(svg).not.toMatch(/NaN|Infinity/)
    for (const values of [[3], [3, 3, 3], [0, 0]]) {
      const constant = await report.lineChart({ ...options, series: [{ name: 'flat', values }] })
      expect(constant.svg).not.toMatch(/NaN|Infinity/)
    }
  })

  it('lays out a long title and many long names without leaving the page or overlapping', async () => {
    const names = Array.from({ length: 6 }, (_, k) => `a rather long name of a schedule, number ${k}`)
    const long =
      'A title that is much longer than the page is wide, so that it has to be broken into several lines of text'
    const { svg } = await report.lineChart({
      ...options,
      title: long,
      series: names.map(name => ({ name, values: falling })),
    })
    const rows = names.map(
      name =>
        select(svg, 'text')
          .find(node => node.textContent === name)!
          .getAttribute('transform')!,
    )
    expect(new Set(rows).size).toBe(6)
    expect(new Set(rows.map(row => row.split(',')[1])).size).toBeGreaterThanOrEqual(3)
    expect(
      texts(svg)
        .filter(text => long.includes(text) && text.length > 10)
        .join(' '),
    ).toBe(long)
  })

  it.each([
    ['no title', { ...options, title: undefined }, TypeError, /title to be a string but received undefined/],
    ['an unknown option', { ...options, colour: 'red' }, TypeError, /colour/],
    ['no series', { ...options, series: [] }, RangeError, /1 to 6 curves or runs but received 0/],
    ['seven runs', { ...options, series: series(7) }, RangeError, /1 to 6 curves or runs but received 7/],
    [
      'a deviation of another length',
      { ...options, series: [{ name: 'a', values: [1, 2], deviation: [1] }] },
      RangeError,
      /series\[0\]\.deviation to have 2 values but received 1/,
    ],
    [
      'a range from zero on a log axis',
      { ...options, yScale: 'log', yDomain: [0, 1] },
      RangeError,
      /yDomain\[0\] to be a finite number greater than 0/,
    ],
    ['nothing finite', { ...options, series: [{ name: 'a', values: [NaN] }] }, RangeError, /a value that can be drawn/],
    [
      'nothing positive on a log axis',
      { ...options, yScale: 'log', series: [{ name: 'a', values: [-1, 0] }] },
      RangeError,
      /drawn/,
    ],
    [
      'values and points',
      { ...options, series: [{ name: 'a', values: [1], points: [[1, 1]] }] },
      TypeError,
      /either values or points/,
    ],
    [
      'a series without a name',
      { ...options, series: [{ values: [1] }] },
      TypeError,
      /series\[0\]\.name to be a string/,
    ],
    ['an unknown scale', { ...options, yScale: 'sqrt' }, RangeError, /yScale to be 'linear' or 'log'/],
    [
      'a reversed domain',
      { ...options, yDomain: [1, 0] },
      RangeError,
      /yDomain\[1\] to be a finite number greater than 1/,
    ],
    ['a tiny width', { ...options, width: 10 }, RangeError, /width to be an integer at least 200/],
  ])('refuses %s', async (_, bad, kind, message) => {
    const failure = await report.lineChart(bad as report.LineChartOptions).catch(error => error)
    expect(failure).toBeInstanceOf(kind)
    expect(failure.message).toMatch(message)
  })
})

describe('the PNG', () => {
  it('has the stated size and text drawn with the bundled font alone', async () => {
    // Without a series name, title or labels the same picture has fewer dark pixels in the place of the title.
    const plain = { ...options, subtitle: undefined, width: 400, height: 240 }
    const titled = await (await report.lineChart(plain)).png(1)
    const untitled = await (await report.lineChart({ ...plain, title: ' ' })).png(1)
    expect([...titled.subarray(1, 4)]).toEqual([...Buffer.from('PNG')])
    const view = new DataView(titled.buffer, titled.byteOffset)
    expect([view.getUint32(16), view.getUint32(20)]).toEqual([400, 240])
    const area = { left: 10, top: 8, right: 390, bottom: 36 }
    expect(darkPixels(pixels(untitled, 400, 240), 400, area)).toBe(0)
    expect(darkPixels(pixels(titled, 400, 240), 400, area)).toBeGreaterThan(300)
  })

  it('has a glyph for every character that charts of this library use', async () => {
    // A character without a glyph is drawn as the same box, or not at all: all shapes must differ.
    const shapes = new Map<string, string>()
    for (const char of 'AZaz09ÄßéµΩαβγθλ×±−–—…%‰²³⁻¹₁≤≥≈→∞√') {
      const chart = await report.barChart({
        title: char,
        valueLabel: ' ',
        bars: [{ label: ' ', value: 1 }],
        width: 200,
      })
      const png = await chart.png(1)
      const view = new DataView(png.buffer, png.byteOffset)
      const data = pixels(png, 200, view.getUint32(20))
      expect(darkPixels(data, 200, { left: 10, top: 8, right: 60, bottom: 36 }), char).toBeGreaterThan(0)
      const key = Buffer.from(data).toString('base64')
      expect(shapes.get(key), `${char} looks like another character`).toBeUndefined()
      shapes.set(key, char)
    }
  })

  it('draws what the bundled font lacks with a font of the system, or refuses it by name', async () => {
    // A character of a private plane is in no font; a Cyrillic one may be.
    const titled = (title: string) => report.lineChart({ ...options, title, subtitle: undefined, width: 400 })
    const nowhere = await titled('loss \u{10fffd}')
    await expect(nowhere.png(1)).rejects.toMatchObject({
      code: 'ERR_MISSING_FONT',
      message: expect.stringContaining('(U+10FFFD)'),
    })
    for (const title of ['Потери', '训练损失']) {
      const chart = await titled(title)
      expect(texts(chart.svg)).toContain(title)
      const png = await chart.png(1).catch(error => error)
      if (png instanceof Error) expect(png).toMatchObject({ code: 'ERR_MISSING_FONT' })
      else
        expect(darkPixels(pixels(png, 400, 450), 400, { left: 10, top: 8, right: 390, bottom: 36 })).toBeGreaterThan(99)
    }
  })

  it('breaks lines between Chinese characters too, and keeps every character', async () => {
    const title = '训练损失与测试损失学习率衰减的影响'.repeat(4)
    const { svg } = await report.lineChart({ ...options, title, width: 400 })
    const lines = texts(svg).filter(text => title.includes(text) && text.length > 4)
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.join('')).toBe(title)
  })

  it('refuses a scale that is no size', async () => {
    const chart = await report.lineChart(options)
    await expect(chart.png(0)).rejects.toThrow(
      /scale to be a finite number at most 10 and greater than 0|scale to be a finite number/,
    )
  })
})

describe('barChart', () => {
  const bars = [
    { label: 'anneal', value: 17.25, highlight: true },
    { label: 'another', value: 140.5 },
  ]

  it('writes labels and values, longest bar for the largest value', async () => {
    const { svg } = await report.barChart({
      title: 'Step',
      valueLabel: 'time (µs)',
      bars,
      format: value => `${value.toFixed(1)} µs`,
    })
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['Step', 'time (µs)', 'anneal', 'another', '17.3 µs', '140.5 µs']),
    )
    const widths = select(svg, 'g[aria-label="rect"] rect')
      .slice(-2)
      .map(rect => Number(rect.getAttribute('width')))
    expect(widths[1] / widths[0]).toBeCloseTo(140.5 / 17.25, 1)
  })

  it('gives the least value a length on a logarithmic axis too, and grows with its bars', async () => {
    const log = { title: 'Step', valueLabel: 'time (µs)', scale: 'log' as const }
    const two = await report.barChart({
      ...log,
      bars: [
        { label: 'a', value: 10 },
        { label: 'b', value: 1000 },
      ],
    })
    const widths = select(two.svg, 'g[aria-label="rect"] rect')
      .slice(-2)
      .map(rect => Number(rect.getAttribute('width')))
    expect(widths[0]).toBeGreaterThan(5)
    expect(widths[1]).toBeGreaterThan(widths[0])
    const height = (svg: string) => Number(select(svg, 'svg')[0].getAttribute('height'))
    const nine = await report.barChart({
      ...log,
      bars: Array.from({ length: 9 }, (_, i) => ({ label: `b${i}`, value: i + 1 })),
    })
    expect(height(nine.svg)).toBeGreaterThan(height(two.svg) + 100)
  })

  it.each([
    ['no bars', { bars: [] }, RangeError],
    ['a negative value', { bars: [{ label: 'a', value: -1 }] }, RangeError],
    ['zero on a log axis', { bars: [{ label: 'a', value: 0 }], scale: 'log' }, RangeError],
    ['a label that is no text', { bars: [{ label: 1, value: 1 }] }, TypeError],
  ])('refuses %s', async (_, bad, kind) => {
    await expect(report.barChart({ title: 't', valueLabel: 'v', ...bad } as report.BarChartOptions)).rejects.toThrow(
      kind,
    )
  })
})

describe('pictures of an evaluation', () => {
  it('confusionMatrixChart writes counts and names; a cell is as dark as its share of the class', async () => {
    const matrix = [
      [48, 2],
      [15, 45],
    ]
    const { svg } = await report.confusionMatrixChart({ matrix, labels: ['ham', 'spam'] })
    expect(texts(svg)).toEqual(expect.arrayContaining(['48', '2', '15', '45', 'predicted class', 'true class']))
    expect(texts(svg).filter(text => text === 'ham')).toHaveLength(2)
    const shares = select(svg, 'g[aria-label="rect"] rect')
      .slice(-4)
      .map(rect => Number(rect.getAttribute('fill-opacity')))
    expect(shares).toEqual([0.96, 0.04, 0.25, 0.75])
  })

  it('rocChart names the area under each curve and draws the diagonal', async () => {
    const { svg } = await report.rocChart({ curves: [{ name: 'model', fpr: [0, 0, 0.5, 1], tpr: [0, 0.5, 1, 1] }] })
    expect(svg).toContain('ROC curve')
    const two = await report.rocChart({
      curves: [
        { name: 'model', fpr: [0, 0, 0.5, 1], tpr: [0, 0.5, 1, 1] },
        { name: 'guess', fpr: [0, 1], tpr: [0, 1] },
      ],
    })
    expect(texts(two.svg)).toEqual(expect.arrayContaining(['model, area 0.875', 'guess, area 0.500']))
    expect(two.svg).toContain('stroke="#97a4ad"')
  })

  it('residualChart draws a dot per row', async () => {
    const { svg } = await report.residualChart({ yTrue: [1, 2, 3, 4], yPred: [1.1, 1.8, 3.2, 4] })
    expect(parse(svg).querySelectorAll('g[aria-label="dot"] circle')).toHaveLength(4)
  })

  it.each([
    [
      'a matrix that is not square',
      () => report.confusionMatrixChart({ matrix: [[1, 2]] }),
      /matrix\[0\] to have 1 columns/,
    ],
    [
      'a negative count',
      () => report.confusionMatrixChart({ matrix: [[-1]] }),
      /matrix\[0\]\[0\] to be a finite number/,
    ],
    [
      'names for other classes',
      () => report.confusionMatrixChart({ matrix: [[1]], labels: [] }),
      /labels to have 1 names/,
    ],
    [
      'rates beyond 1',
      () => report.rocChart({ curves: [{ name: 'a', fpr: [0, 2], tpr: [0, 1] }] }),
      /rates from 0 to 1/,
    ],
    ['lists of two lengths', () => report.residualChart({ yTrue: [1], yPred: [1, 2] }), /of one length, not empty/],
  ])('refuse %s', async (_, draw, message) => {
    await expect(draw()).rejects.toThrow(message)
  })
})

describe('tables', () => {
  const rows = [
    { run: 'static', loss: 0.19, 'last lr': 0.01 },
    { run: 'a|b <i>', loss: 0.4454, 'last lr': undefined },
  ]

  it('textTable aligns numbers to the right', () => {
    expect(report.textTable(rows)).toBe(
      'run        loss  last lr\n-------  ------  -------\nstatic     0.19     0.01\na|b <i>  0.4454',
    )
  })

  it('markdownTable and htmlTable escape their cells', () => {
    expect(report.markdownTable(rows).split('\n')).toEqual([
      '| run | loss | last lr |',
      '| --- | ---: | ---: |',
      '| static | 0.19 | 0.01 |',
      '| a\\|b \\<i\\> | 0.4454 |  |',
    ])
    expect(report.htmlTable(rows)).toContain(
      '<tr><td>a|b &lt;i&gt;</td><td class="number">0.4454</td><td class="number"></td></tr>',
    )
  })

  it('refuse rows that are no objects', () => {
    for (const table of [report.textTable, report.markdownTable, report.htmlTable])
      expect(() => table([1] as never)).toThrow(TypeError)
  })

  it('formatNumber is short and never rounds a small number to zero', () => {
    const given = [0, 0.01, 0.000625, 6.25e-5, 1234.5, 12345678, -3, 0.1 + 0.2, NaN, Infinity]
    expect(given.map(report.formatNumber)).toEqual([
      '0',
      '0.01',
      '0.000625',
      '6.25e-5',
      '1,234.5',
      '1.235e7',
      '-3',
      '0.3',
      'NaN',
      'Infinity',
    ])
  })
})

describe('htmlReport', () => {
  it('is one page that loads nothing, with every chart in it and no id twice', async () => {
    const ranged = (high: number) => report.lineChart({ ...options, yDomain: [0, high] })
    const svg = [(await ranged(0.5)).svg, (await ranged(0.8)).svg]
    const sections = [
      { heading: 'One <b>', text: ['first & foremost', 'second'], table: [{ a: 1 }], svg },
      { heading: 'Two' },
    ]
    const page = report.htmlReport({ title: 'Report & more', sections })
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).toContain('<title>Report &amp; more</title>')
    expect(page).toContain('<h2>One &lt;b&gt;</h2>')
    expect(page).toContain('<p>first &amp; foremost</p>\n<p>second</p>')
    for (const picture of svg) expect(page).toContain(picture)
    expect(page).not.toMatch(/<script|<link|<img|@import|src=|href=/)
    expect(page.match(/https?:\/\/[^"]+/g)?.every(address => address === 'http://www.w3.org/2000/svg')).toBe(true)
    expect(new Set(ids(page)).size).toBe(ids(page).length)
  })

  it('holds the picture for telephones beside the wide one', () => {
    const picture = { wide: '<svg id="wide"/>', narrow: '<svg id="narrow"/>' }
    const page = report.htmlReport({ title: 't', sections: [{ heading: 'h', svg: ['<svg id="one"/>', picture] }] })
    expect(page).toContain(
      '<figure><svg id="one"/></figure>\n<figure class="wide"><svg id="wide"/></figure>\n<figure class="narrow"><svg id="narrow"/></figure>',
    )
    const wrong = { wide: '', tall: '' } as never
    expect(() => report.htmlReport({ title: 't', sections: [{ heading: 'h', svg: wrong }] })).toThrow(TypeError)
  })

  it('refuses options of the wrong type', () => {
    expect(() => report.htmlReport({ title: 'a' } as never)).toThrow(/sections to be an array/)
    expect(() => report.htmlReport({ title: 1, sections: [] } as never)).toThrow(/title to be a string/)
  })
})

describe('trainingProgress', () => {
  const stream = (isTTY: boolean) => {
    const written: string[] = []
    return { written, isTTY, write: (text: string) => written.push(text) }
  }

  it('writes a line per epoch where there is no terminal', async () => {
    const out = stream(false)
    const progress = await report.trainingProgress({ label: 'static', epochs: 20, stream: out })
    progress.update({ epoch: 9, loss: 0.19012, accuracy: 0.971, lr: 0.01 })
    progress.update({ epoch: 10, loss: 0.18, lr: 0.000625 })
    progress.stop()
    expect(out.written).toEqual([
      'static  epoch  9/20  loss 0.1901  accuracy  97.1 %  lr 0.01\n',
      'static  epoch 10/20  loss 0.1800  lr 0.000625\n',
    ])
  })

  it('draws a bar on a terminal, with the figures', async () => {
    const out = {
      ...stream(true),
      columns: 200,
      cursorTo() {},
      moveCursor() {},
      clearLine() {},
      on() {},
      once() {},
      removeListener() {},
    }
    const progress = await report.trainingProgress({ label: 'static', epochs: 2, stream: out })
    progress.update({ epoch: 1, loss: 0.5, accuracy: 0.9, lr: 0.01 })
    progress.update({ epoch: 2, loss: 0.25, accuracy: 0.95, lr: 0.005 })
    progress.stop()
    const all = out.written.join('')
    expect(all).toContain('[========================]  epoch 2/2  loss 0.2500  accuracy  95.0 %  lr 0.005')
  })

  it('refuses bad options', async () => {
    await expect(report.trainingProgress({ label: 'a', epochs: 0 })).rejects.toThrow(RangeError)
    await expect(report.trainingProgress({ label: 1, epochs: 1 } as never)).rejects.toThrow(TypeError)
  })
})

describe('a missing optional package', () => {
  afterEach(() => {
    vi.doUnmock('@observablehq/plot')
    vi.doUnmock('@resvg/resvg-js')
    vi.doUnmock('cli-progress')
    vi.resetModules()
  })

  const missing = () => {
    throw new Error('Cannot find package')
  }

  it('is an error that names it and says how to install it, with the cause', () => {
    const cause = new Error("Cannot find package 'x'\nstack")
    const failure = missingPackage('lineChart', ['x', 'y'], cause)
    expect(failure).toMatchObject({ name: 'AnnealError', code: 'ERR_MISSING_PACKAGE', cause })
    expect(failure.message).toBe(
      `lineChart: expected x and y to be installed but received "Cannot find package 'x'"; run: npm install x y`,
    )
  })

  it.each(['@observablehq/plot', 'linkedom'])('%s: no chart', async name => {
    vi.resetModules()
    vi.doMock(name, missing)
    const fresh = await import('../src/report/index.js')
    await expect(fresh.lineChart(options)).rejects.toMatchObject({ code: 'ERR_MISSING_PACKAGE' })
    vi.doUnmock(name)
  })

  it('@resvg/resvg-js: the SVG is there, the PNG is not', async () => {
    vi.resetModules()
    vi.doMock('@resvg/resvg-js', missing)
    const fresh = await import('../src/report/index.js')
    const chart = await fresh.lineChart(options)
    expect(chart.svg).toContain('</svg>')
    await expect(chart.png()).rejects.toMatchObject({ code: 'ERR_MISSING_PACKAGE' })
  })

  it('cli-progress: plain lines on a terminal too', async () => {
    vi.resetModules()
    vi.doMock('cli-progress', missing)
    const fresh = await import('../src/report/index.js')
    const written: string[] = []
    const stream = { isTTY: true, write: (text: string) => written.push(text) }
    const progress = await fresh.trainingProgress({ label: 'static', epochs: 1, stream })
    progress.update({ epoch: 1, loss: 1, lr: 0.1 })
    progress.stop()
    expect(written).toEqual(['static  epoch 1/1  loss 1.0000  lr 0.1\n'])
  })
})

describe('chartGrid', () => {
  const chart = (title: string, width: number) =>
    report.lineChart({ title, width, height: 200, xLabel: 'x', yLabel: 'y', series: [{ name: 'a', values: [1, 2] }] })

  it('puts charts into cells of one size, row by row', async () => {
    const charts = [await chart('one', 300), await chart('two', 400), await chart('three', 300)]
    const grid = report.chartGrid(charts)
    expect(grid.svg).toMatch(/^<svg [^>]*width="800" height="400"/)
    for (const { svg } of charts) expect(grid.svg).toContain(svg)
    for (const cell of ['0,0', '400,0', '0,200']) expect(grid.svg).toContain(`translate(${cell})`)
    expect(report.chartGrid(charts, { columns: 1 }).svg).toMatch(/^<svg [^>]*width="400" height="600"/)
    expect(report.chartGrid(charts, { columns: 9 }).svg).toMatch(/^<svg [^>]*width="1200" height="200"/)
    expect((await grid.png(1)).subarray(1, 4)).toEqual(new Uint8Array([80, 78, 71]))
  })

  it('refuses what are no charts', async () => {
    const one = await chart('one', 300)
    for (const bad of [null, one, [one, null], [{ svg: '<p/>' }]] as never[])
      expect(() => report.chartGrid(bad)).toThrow(TypeError)
    expect(() => report.chartGrid([])).toThrow(RangeError)
    expect(() => report.chartGrid([one], { columns: 0 })).toThrow(RangeError)
    expect(() => report.chartGrid([one], { rows: 1 } as never)).toThrow(TypeError)
  })
})

it('a line chart draws its background in grey, behind and without a name', async () => {
  const series = [{ name: 'front', values: [1, 2] }]
  const background = Array.from({ length: 9 }, (_, i) => ({ name: `back ${i}`, values: [3 + i, 4] }))
  const { svg } = await report.lineChart({ title: 't', xLabel: 'x', yLabel: 'y', series, background })
  expect(svg.match(/stroke="#97a4ad"/g)).toHaveLength(9)
  expect(svg).not.toContain('back 0')
  expect(svg).toContain('>11<') // the axis holds them
  await expect(
    report.lineChart({ title: 't', xLabel: 'x', yLabel: 'y', series, background: [{}] as never }),
  ).rejects.toThrow('background[0].name')
})
