/** The live view's page: keeps what the server tells and draws it. It computes nothing but what is left of the time. */

/* global uPlot */

const token = new URLSearchParams(location.search).get('token') ?? ''

/** Runs by id, as the server sends them: see RunNews in board.ts. */
const runs = new Map()
/** What the server's clock is ahead of ours, milliseconds. */
let ahead = 0

// Okabe and Ito's palette, as in the package's charts, lighter on a dark page.
const palettes = {
  light: ['#0072b2', '#d55e00', '#007a5a', '#b0508c', '#a67c00', '#555555'],
  dark: ['#56b4e9', '#f08a3c', '#2fc79a', '#dc8fc0', '#e0b84a', '#bbbbbb'],
}
const dark = matchMedia('(prefers-color-scheme: dark)')
const colorOf = run => palettes[dark.matches ? 'dark' : 'light'][run.id % 6]
const cssColor = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** An element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** At most five significant digits. */
function numberText(value) {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2)
  return String(Number(value.toPrecision(5)))
}

function timeText(seconds) {
  if (!Number.isFinite(seconds)) return '–'
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  const rest = String(Math.floor(seconds % 60)).padStart(2, '0')
  if (minutes < 60) return `${minutes}:${rest} min`
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')} h`
}

// Runs

const cards = new Map()

function makeCard(run) {
  const press = async (event, name) => {
    event.target.disabled = true
    const answer = await fetch(`/runs/${run.id}/${name}`, { method: 'POST', headers: { 'x-anneal-token': token } })
    if (name === 'lower-rate' && answer.ok) event.target.disabled = false
  }
  const parts = {
    name: make('span', { textContent: run.name }),
    status: make('span', { className: 'status' }),
    progress: make('progress', { max: 1, value: 0, ariaLabel: `progress of ${run.name}` }),
    figures: make('dl'),
    error: make('p', { className: 'error', hidden: true }),
    stop: make('button', {
      textContent: 'Stop',
      title: 'End the training after the current epochs, as if all were done',
    }),
    lower: make('button', {
      textContent: 'Halve the rate',
      title: 'Schedules that compute each rate anew overwrite it',
    }),
  }
  parts.stop.onclick = event => press(event, 'stop')
  parts.lower.onclick = event => press(event, 'lower-rate')
  parts.buttons = make('div', { className: 'buttons' }, parts.stop, parts.lower)
  const heading = make('h2', {}, parts.name, parts.status)
  const card = make('article', { className: 'run' }, heading, parts.progress, parts.figures, parts.error, parts.buttons)
  document.getElementById('runs').append(card)
  return { card, ...parts }
}

/** Names and texts of a run's figures. */
function figuresOf(run) {
  const last = name => run.figures[name]?.at(-1)
  const { progress } = run
  const now = run.ended ?? Date.now() + ahead
  const left = progress ? (progress.steps - progress.step) / progress.stepsPerSecond : NaN
  const shown = [['epoch', `${run.epoch.at(-1) ?? 0} / ${run.epochs}`]]
  shown.push(['time', timeText((now - run.started) / 1000)])
  if (progress) shown.push(['steps/s', numberText(Math.round(progress.stepsPerSecond))])
  if (run.status === 'running') shown.push(['left', timeText(left)])
  for (const name of Object.keys(run.figures)) shown.push([name.replace('/', ' '), numberText(last(name))])
  return shown
}

function drawCard(run) {
  if (!cards.has(run.id)) cards.set(run.id, makeCard(run))
  const { card, status, progress, figures, error, buttons } = cards.get(run.id)
  card.style.setProperty('--color', colorOf(run))
  card.dataset.status = run.status
  status.textContent = run.status
  progress.value = run.status === 'done' ? 1 : run.progress ? run.progress.step / run.progress.steps : 0
  figures.replaceChildren(
    ...figuresOf(run).map(([name, text]) =>
      make('div', {}, make('dt', { textContent: name }), make('dd', { textContent: text })),
    ),
  )
  error.hidden = run.error === undefined
  error.textContent = run.error ?? ''
  buttons.hidden = run.status !== 'running'
  buttons.style.display = buttons.hidden ? 'none' : ''
}

// Charts: one per kind of figure (what is before the slash), a curve per run and figure.

const charts = new Map()
const titles = { loss: 'Loss', accuracy: 'Accuracy', lr: 'Learning rate' }

function kindsShown() {
  const names = [...runs.values()].flatMap(run => Object.keys(run.figures))
  return [...new Set(names.map(name => name.split('/')[0]))]
}

/** [run, name of the figure] of every curve in a chart. */
function curvesOf(kind) {
  return [...runs.values()].flatMap(run =>
    Object.keys(run.figures)
      .filter(name => name.split('/')[0] === kind)
      .map(name => [run, name]),
  )
}

/** The first figure of a kind is solid, such as loss/train; the next, such as loss/test, are dashed. */
function dashOf(run, name) {
  const same = Object.keys(run.figures).filter(other => other.split('/')[0] === name.split('/')[0])
  return [undefined, [7, 4], [2, 3]][Math.min(2, same.indexOf(name))]
}

function labelOf(run, name) {
  const part = name.split('/')[1]
  return runs.size > 1 ? [run.name, part].filter(Boolean).join(' ') : (part ?? name)
}

function dataOf(curves) {
  if (curves.length === 0) return [[]]
  return uPlot.join(curves.map(([run, name]) => [run.epoch, run.figures[name]]))
}

function makeFrame(kind) {
  const log = make('button', { textContent: 'log', ariaPressed: 'false' })
  const place = make('div')
  const title = titles[kind] ?? kind
  const frame = make('figure', { className: 'chart' }, make('h2', {}, title, log), place)
  frame.style.margin = 0
  frame.dataset.kind = kind
  document.getElementById('charts').append(frame)
  const chart = { kind, place, log: false, plot: null, shape: '' }
  log.onclick = () => {
    chart.log = !chart.log
    log.ariaPressed = String(chart.log)
    log.textContent = chart.log ? 'linear' : 'log'
    drawChart(chart)
  }
  new ResizeObserver(() => chart.plot?.setSize(sizeOf(place))).observe(place)
  return chart
}

const sizeOf = place => ({ width: place.clientWidth, height: place.clientWidth < 420 ? 230 : 280 })

/** 1, 2, 5, 10, …: there is no half an epoch. */
const wholeSteps = [0, 1, 2, 3, 4, 5, 6, 7].flatMap(power => [1, 2, 5].map(factor => factor * 10 ** power))

function plotOptions(chart, curves) {
  const font = '12px Arimo, Arial, Helvetica, "Liberation Sans", sans-serif'
  const axis = {
    font,
    labelFont: font,
    stroke: () => cssColor('--soft'),
    grid: { stroke: () => cssColor('--grid'), width: 1 },
    ticks: { stroke: () => cssColor('--grid'), width: 1 },
  }
  return {
    ...sizeOf(chart.place),
    scales: { x: { time: false }, y: { distr: chart.log ? 3 : 1 } },
    axes: [
      { ...axis, label: 'epoch', labelSize: 16, size: 32, incrs: wholeSteps },
      { ...axis, size: 62, values: (_, ticks) => ticks.map(tick => (tick === null ? '' : numberText(tick))) },
    ],
    legend: {
      markers: {
        width: 2,
        fill: 'transparent',
        dash: (_, i) => (i > 0 && dashOf(...curves[i - 1]) ? 'dashed' : 'solid'),
      },
    },
    series: [
      { label: 'epoch' },
      ...curves.map(([run, name]) => ({
        label: labelOf(run, name),
        stroke: () => colorOf(run),
        width: 2,
        dash: dashOf(run, name),
        pxAlign: 0,
        points: { show: run.epoch.length === 1, size: 6 },
        value: (_, value) => numberText(value),
      })),
    ],
  }
}

/** Draws anew where the curves are others, else gives the chart its new data. */
function drawChart(chart) {
  const curves = curvesOf(chart.kind)
  // A logarithmic axis has no place for zero and less.
  const positive = column => column.map(value => (value > 0 ? value : null))
  const [x, ...columns] = dataOf(curves)
  const data = [x, ...(chart.log ? columns.map(positive) : columns)]
  const single = curves.some(([run]) => run.epoch.length === 1)
  const shape = JSON.stringify([curves.map(([run, name]) => [run.id, name]), chart.log, dark.matches, single])
  if (shape === chart.shape) return chart.plot.setData(data)
  chart.shape = shape
  chart.plot?.destroy()
  chart.plot = new uPlot(plotOptions(chart, curves), data, chart.place)
}

function draw() {
  for (const run of runs.values()) drawCard(run)
  for (const kind of kindsShown()) {
    if (!charts.has(kind)) charts.set(kind, makeFrame(kind))
    drawChart(charts.get(kind))
  }
}

// News

let wanted = false

function drawSoon() {
  if (wanted) return
  wanted = true
  requestAnimationFrame(() => {
    wanted = false
    draw()
  })
}

function take({ now, runs: news }) {
  ahead = now - Date.now()
  for (const { epoch, figures, from, ...info } of news) {
    const known = from > 0 ? runs.get(info.id) : undefined
    const kept = known?.epoch.slice(0, from) ?? []
    const names = new Set([...Object.keys(known?.figures ?? {}), ...Object.keys(figures)])
    const joined = [...names].map(name => {
      const before = known?.figures[name]?.slice(0, from) ?? kept.map(() => null)
      return [name, [...before, ...(figures[name] ?? epoch.map(() => null))]]
    })
    runs.set(info.id, { ...info, epoch: [...kept, ...epoch], figures: Object.fromEntries(joined) })
  }
  drawSoon()
}

function connect() {
  const connection = document.getElementById('connection')
  const say = (text, lost) => {
    connection.textContent = text
    connection.className = lost ? 'lost' : ''
  }
  const source = new EventSource(`/events?token=${encodeURIComponent(token)}`)
  source.onopen = () => say('connected', false)
  source.addEventListener('snapshot', event => {
    runs.clear()
    take(JSON.parse(event.data))
  })
  source.onmessage = event => take(JSON.parse(event.data))
  source.onerror = () => {
    const over = runs.size > 0 && [...runs.values()].every(run => run.status !== 'running')
    say(over ? 'the program has ended; this is its last state' : 'no connection; trying again…', !over)
  }
}

dark.addEventListener('change', draw)
// The time goes on between two epochs too.
setInterval(() => {
  for (const run of runs.values()) if (run.status === 'running') drawCard(run)
}, 1000)
connect()

/** What a chart shows, for tests. */
globalThis.shown = kind => charts.get(kind)?.plot.data
