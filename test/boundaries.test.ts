/** The boundary check: what it refuses, on a tree made for that. */

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'anneal-boundaries-'))
afterEach(() => rmSync(root, { recursive: true, force: true }))

async function check(files: Record<string, string>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['scripts/check_boundaries.mjs', root]).catch(
    error => error,
  )
  return stdout + stderr
}

it('refuses arrows upward and import cycles, within a folder too, but not of types', async () => {
  expect(await check({ 'src/base/a.ts': "import { ops } from '../ops/b.js'\n", 'src/ops/b.ts': '' })).toContain(
    'src/base/a.ts:1: expected no import upward, but base is below ops',
  )
  const a = "import {\n  type A,\n  b,\n} from './b.js'\n"
  expect(await check({ 'src/base/a.ts': a, 'src/base/b.ts': "export * from './a.js'\n" })).toContain(
    'expected no import cycle but received src/base/a.ts → src/base/b.ts → src/base/a.ts',
  )
  const typeOnly = { 'src/base/a.ts': a, 'src/base/b.ts': "import { type A } from './a.js'\n", 'src/ops/b.ts': '' }
  expect(await check(typeOnly)).toContain('no arrow upward, no import cycle')
})
