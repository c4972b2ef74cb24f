/**
 * The 30 hashes (platform_hashes.mjs) of this platform's binary on every Node that is supported. On musl, for which npm has
 * no Nodes, on the one that runs this.
 *
 *   node scripts/try_nodes.mjs [VERSION …]      default: 20, 22, 24, 26
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './build_native.mjs'
import { here, isMusl, nodeVersions, npmNode } from './nodes.mjs'

const chosen = process.argv.length > 2 ? process.argv.slice(2) : nodeVersions
const nodes = isMusl ? [process.execPath] : chosen.map(version => npmNode(here, version))

for (const node of nodes) execFileSync(node, [join(root, 'scripts/platform_hashes.mjs')], { stdio: 'inherit' })
