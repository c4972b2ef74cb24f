/** An epoch's figures as flat names and values, as every view shows them. No format, no drawing. */

import type { EpochEvent } from '../train/history.js'

/** `loss/train`, `loss/test`, `accuracy/train`, `accuracy/test`, and `lr`, or `lr/0`, `lr/1`, … with several groups. */
export function scalarsOf({ trainLoss, testLoss, trainAcc, testAcc, lr }: EpochEvent): [name: string, value: number][] {
  const rates = Array.isArray(lr) ? lr.map((rate, i) => [`lr/${i}`, rate] as const) : [['lr', lr] as const]
  const all = [
    ['loss/train', trainLoss],
    ['loss/test', testLoss],
    ['accuracy/train', trainAcc],
    ['accuracy/test', testAcc],
    ...rates,
  ] as const
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
}
