/** Headless Chromium for tests of pages; undefined where none is installed. Not a test. */

import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser's file: ANNEAL_CHROMIUM, which must be there then, or one of the usual places. */
export const chromiumFile = process.env.ANNEAL_CHROMIUM ?? places.find(file => existsSync(file))

/** Nothing of the browser's own goes over a network. */
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
const quiet = ['--disable-background-networking', '--disable-component-update']

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumFile, args: [...flags, ...quiet] })
}

/** A picture for who looks at it: only where ANNEAL_SCREENSHOTS names a folder. */
export function screenshotPath(name: string): string | undefined {
  const folder = process.env.ANNEAL_SCREENSHOTS
  return folder && `${folder}/${name}.png`
}
