/** How far a training run is: a bar on a terminal, plain lines elsewhere. It only shows; it measures nothing. */

import { checkInt, checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { formatNumber } from './text.js'

/** The part of a stream that is needed: `process.stdout` is one. */
export interface ProgressStream {
  /** Takes the next piece of text. */
  write(text: string): unknown
  /** Whether lines can be written over. */
  isTTY?: boolean
}

/** Options of `trainingProgress`. */
export interface ProgressOptions {
  /** What is being trained. */
  label: string
  /** How many epochs there will be. */
  epochs: number
  /** Default `process.stdout`. */
  stream?: ProgressStream
}

/** What is shown of an epoch. */
export interface EpochFigures {
  /** Epochs completed, from 1. */
  epoch: number
  /** Training loss. */
  loss: number
  /** A fraction. */
  accuracy?: number
  /** Loss on the test rows. */
  testLoss?: number
  /** The rate of the epoch's last update. */
  lr: number
  /** Updates per second. */
  stepsPerSecond?: number
  /** Seconds until the run will have ended. */
  secondsLeft?: number
}

/** A display of progress. */
export interface Progress {
  /** Shows the epoch that has ended. */
  update(figures: EpochFigures): void
  /** Leave the last state on the screen and give the terminal back. */
  stop(): void
}

async function loadBars() {
  try {
    return await import('cli-progress')
  } catch {
    return undefined
  }
}

/**
 * A display of epoch, loss, accuracy and learning rate: a bar where the stream is a terminal and the optional package
 * cli-progress is installed, one line per epoch otherwise.
 *
 * ```ts
 * const progress = await report.trainingProgress({ label: 'static', epochs: 20 })
 * progress.update({ epoch: 1, loss: 1.1, accuracy: 0.43, lr: 0.01 })
 * progress.stop()
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad options.
 */
export async function trainingProgress(options: ProgressOptions): Promise<Progress> {
  checkOptions('trainingProgress', options, ['label', 'epochs', 'stream'])
  const { label, stream = process.stdout } = options
  if (typeof label !== 'string') throw typeError('trainingProgress', 'label to be a string', label)
  const epochs = checkInt('trainingProgress', 'epochs', options.epochs, { min: 1 })
  const bars = stream.isTTY ? await loadBars() : undefined
  return bars ? barProgress(bars, label, epochs, stream) : lineProgress(label, epochs, stream)
}

function figuresText({ loss, testLoss, accuracy, lr, stepsPerSecond, secondsLeft }: EpochFigures): string {
  return [
    `loss ${loss.toFixed(4)}`,
    testLoss === undefined ? '' : `test loss ${testLoss.toFixed(4)}`,
    accuracy === undefined ? '' : `accuracy ${(accuracy * 100).toFixed(1).padStart(5)} %`,
    `lr ${formatNumber(lr)}`,
    stepsPerSecond === undefined ? '' : `${formatNumber(Number(stepsPerSecond.toPrecision(3)))} steps/s`,
    secondsLeft === undefined ? '' : `${timeText(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join('  ')
}

/** Hours, minutes and seconds: `1:02:03`, `0:07`. */
function timeText(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (part: number) => String(part).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

function lineProgress(label: string, epochs: number, stream: ProgressStream): Progress {
  const width = String(epochs).length
  return {
    update: figures =>
      stream.write(`${label}  epoch ${String(figures.epoch).padStart(width)}/${epochs}  ${figuresText(figures)}\n`),
    stop: () => {},
  }
}

type CliProgress = typeof import('cli-progress')

function barProgress(module: CliProgress, label: string, epochs: number, stream: ProgressStream): Progress {
  // A CommonJS module: its names may sit on `default` only, depending on who loads it.
  const { SingleBar } = 'SingleBar' in module ? module : (module as { default: CliProgress }).default
  const format = `${label.replace(/[{}]/g, '')}  [{bar}]  epoch {value}/{total}  {figures}`
  const bar = new SingleBar({
    format,
    stream: stream as NodeJS.WritableStream,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 24,
    hideCursor: true,
  })
  bar.start(epochs, 0, { figures: '' })
  return { update: figures => bar.update(figures.epoch, { figures: figuresText(figures) }), stop: () => bar.stop() }
}
