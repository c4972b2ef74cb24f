/** Text as charts and tables need it: numbers for people, widths without a font engine, line breaking. */

import { typeError } from '../base/errors.js'

// Advance widths of Arial (and so of Arimo) in thousandths of the font size, rounded up by class of character.
const widthClasses: readonly [RegExp, number][] = [
  [/[ilj'|]/, 0.23],
  [/[ .,:;!ftI/\\[\]()r-]/, 0.34],
  [/[mMW@%—…]|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u, 1],
  [/\p{Emoji_Presentation}|[ЖМШЩЮЫФжмшщюыф]/u, 1.1],
  [/[A-HK-Zw&+=<>~−×]/, 0.73],
]

/** Width of one line of text in pixels; never much too small, so that what is laid out by it does not overlap. */
export function textWidth(text: string, size: number): number {
  let em = 0
  for (const char of text) em += widthClasses.find(([pattern]) => pattern.test(char))?.[1] ?? 0.56
  return em * size
}

/** What a line may be broken between: words, and every Chinese or Japanese character. */
const pieces =
  /(\s*)([\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+)/gu

/** Break text into lines of at most `width` pixels; a longer word stays whole. */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = []
  for (const [, gap, word] of text.matchAll(pieces)) {
    const longer = lines.length ? `${lines[lines.length - 1]}${gap && ' '}${word}` : word
    if (lines.length && textWidth(longer, size) <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines.length ? lines : ['']
}

/** A number for a person: six significant digits at most, exponents only below 1e-4 and from 1e7 on. */
export function formatNumber(value: number): string {
  if (typeof value !== 'number') throw typeError('formatNumber', 'value to be a number', value)
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-4 || size >= 1e7)
    return value
      .toExponential(3)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 })
}

/** Text that is safe between tags and in quoted attributes of HTML and SVG. Control characters are dropped. */
export function escapeMarkup(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return printable(text).replace(/[&<>"']/g, char => entities[char])
}

/** The text without the control characters that no XML file may contain. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
}
