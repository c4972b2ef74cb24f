import { parseArgs } from 'node:util'

/** Where a program writes: what `--out` says, else `otherwise`. */
export function outFolder(otherwise: string): string {
  const { values } = parseArgs({ options: { out: { type: 'string', default: otherwise } } })
  return values.out
}
