/**
 * SVG to PNG. Lettering is the bundled font's, the same on every machine; a character that it lacks is drawn with a font
 * of the system, or refused by name, because the renderer would leave it out without a word.
 */

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResvgRenderOptions } from '@resvg/resvg-js'
import { checkNumber } from '../base/check.js'
import { AnnealError, phrase } from '../base/errors.js'
import { missingPackage } from '../base/optional.js'
import { ink } from './style.js'

type Resvg = typeof import('@resvg/resvg-js').Resvg

const where = 'Chart.png'
const fontFile = join(dirname(fileURLToPath(import.meta.url)), '../../assets/Arimo-Regular.ttf')

function fontOptions(loadSystemFonts: boolean): ResvgRenderOptions['font'] {
  return { loadSystemFonts, fontFiles: [fontFile], defaultFontFamily: 'Arimo', sansSerifFamily: 'Arimo' }
}

async function loadResvg() {
  try {
    return await import('@resvg/resvg-js')
  } catch (cause) {
    throw missingPackage(where, ['@resvg/resvg-js'], cause)
  }
}

/** A finished SVG as a PNG file, `scale` pixels per unit. Throws `AnnealError` `ERR_MISSING_FONT`. */
export async function renderPng(svg: string, scale = 2): Promise<Uint8Array> {
  checkNumber(where, 'scale', scale, { above: 0, max: 10 })
  const { Resvg } = await loadResvg()
  const foreign = visibleCharacters(svg).filter(char => !canDraw(Resvg, char, false))
  const missing = foreign.filter(char => !canDraw(Resvg, char, true))
  if (missing.length) {
    const names = missing.slice(0, 5).map(nameOf).join(', ')
    const wanted = `a font with ${names}${missing.length > 5 ? ' and others' : ''} to be installed`
    throw new AnnealError('ERR_MISSING_FONT', `${phrase(where, wanted, 'none')}; the SVG needs none`)
  }
  // A family of the system comes first then: the renderer's own fallback takes any face, bold and slanted ones too.
  const lettered = foreign.length ? svg.replaceAll('font-family="Arimo, ', 'font-family="') : svg
  const font = fontOptions(foreign.length > 0)
  const resvg = new Resvg(lettered, {
    font,
    fitTo: { mode: 'zoom', value: scale },
    background: ink.paper,
    logLevel: 'off',
  })
  return new Uint8Array(resvg.render().asPng())
}

function nameOf(char: string): string {
  return `"${char}" (U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')})`
}

/** The characters beyond ASCII that leave ink: not spaces, marks that combine with others, or format characters. */
function visibleCharacters(svg: string): string[] {
  return [...new Set(svg)].filter(char => char > '\x7f' && !/[\s\p{M}\p{Cf}]/u.test(char))
}

const drawable = new Map<string, boolean>()

/** Whether there is a font for the character: drawn alone, it leaves something. */
function canDraw(Resvg: Resvg, char: string, systemFonts: boolean): boolean {
  const key = `${systemFonts} ${char}`
  let known = drawable.get(key)
  if (known === undefined) {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><text x="10" y="30">${char}</text></svg>`
    known = new Resvg(svg, { font: fontOptions(systemFonts), logLevel: 'off' }).innerBBox() !== undefined
    drawable.set(key, known)
  }
  return known
}
