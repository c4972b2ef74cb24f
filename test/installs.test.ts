/** The scripts that install and bundle the packed tarball, and every binary that this machine builds: under test:full. */

import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { full } from './helpers/campaign.js'

const root = resolve(import.meta.dirname, '..')
const run = (script: string, ...args: string[]) =>
  execFileSync(process.execPath, [`scripts/${script}.mjs`, ...args], { cwd: root, encoding: 'utf8' })

describe.runIf(full)(`the tarball${full ? '' : ' (npm run test:full)'}`, () => {
  it('has binaries whose 30 hashes are equal', () => {
    expect(run('prebuilds')).toMatch(/linux-x64, .*: 30 of 30 hashes equal/)
  })

  it('installs everywhere, which docs/installs.md then says', () => {
    expect(run('check_installs', '--all', '--record')).toMatch(/installs: \d+ held/)
  })

  it('is bundled as docs/bundlers.md says', () => {
    expect(run('check_bundlers')).toMatch(/rows of docs\/bundlers.md hold/)
  })

  it('compiles from its own sources', () => {
    expect(run('check_source_build')).toMatch(/each trains/)
  })
})
