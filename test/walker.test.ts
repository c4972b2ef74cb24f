/** No hostile value crashes, hangs or throws without a code, anywhere; all that is accepted stands in a list. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { full } from './helpers/campaign.js'
import { subjects } from './helpers/subjects.js'
import { walk } from './helpers/walker.js'

const file = new URL('golden/accepted.txt', import.meta.url)

it('every export, constructor and method refuses hostile values with a code, or is listed', {
  timeout: 600_000,
}, async () => {
  const stride = full ? 1 : 7
  const offset = new Date().getDate()
  const { calls, faults, accepted } = await walk(subjects, stride, offset)
  console.log(`walker: from value ${offset}, ${calls} calls, ${faults.length} faults`)
  if (process.env.ANNEAL_RECORD) writeFileSync(file, `${accepted.join('\n')}\n`)
  expect(faults).toEqual([])
  const listed = new Map(
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map(line => line.split(': ') as [string, string]),
  )
  const unlisted = accepted.flatMap(line => {
    const [place, values] = line.split(': ')
    const known = listed.get(place)?.split(', ') ?? []
    const fresh = values.split(', ').filter(value => !known.includes(value))
    return fresh.length ? [`${place}: ${fresh.join(', ')}`] : []
  })
  expect(unlisted).toEqual([])
})
