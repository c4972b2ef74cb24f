/** Links of what users read: pages and tests that are there, and one owner everywhere. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const pages = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'))

it('README links pages of the repository that package.json names, which are shipped', () => {
  const { repository, homepage, bugs, files } = JSON.parse(read('package.json'))
  const [, base] = /^git\+(https:\/\/github\.com\/[\w.-]+\/anneal)\.git$/.exec(repository.url)!
  expect([homepage, bugs]).toEqual([`${base}#readme`, `${base}/issues`])
  const linked = [...read('README.md').matchAll(/\]\((https:\/\/github\.com[^)]*)\)/g)].map(match => match[1])
  expect(linked.length).toBeGreaterThan(8)
  for (const link of linked) {
    expect(link).toMatch(new RegExp(`^${base}/blob/main/docs/`))
    expect(existsSync(join(root, link.slice(`${base}/blob/main/`.length))), link).toBe(true)
  }
  expect(files).toContain('docs')
})

describe.each(['README.md', 'CONTRIBUTING.md', ...pages.map(name => `docs/${name}`)])('%s', file => {
  it('links only files that are there', () => {
    const prose = read(file).replace(/```[\s\S]*?```|`[^`\n]*`/g, '')
    const links = [...prose.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(match => match[1])
    for (const link of links) expect(existsSync(join(root, dirname(file), link)), link).toBe(true)
  })
})

it('every test that reliability.md names is there', () => {
  const found = read('docs/reliability.md').matchAll(/`(?:node )?((?:test|scripts)\/[\w.-]+)`/g)
  const named = [...found].map(match => match[1])
  expect(named.length).toBeGreaterThan(20)
  for (const file of named) expect(existsSync(join(root, file)), file).toBe(true)
})
