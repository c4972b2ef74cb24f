/** Reads ground truth from test/golden; test/golden/README.md says where it comes from. */
import { readFileSync } from 'node:fs'

// biome-ignore lint/suspicious/noExplicitAny: the fixtures have a field for every function of a library.
type Case = Record<string, any>

/** A fixture file that lists cases by what they are about. */
export type Cases = Record<string, Case[]>

/** The parsed content of a file in test/golden. */
export function golden(name: string) {
  return JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'))
}
