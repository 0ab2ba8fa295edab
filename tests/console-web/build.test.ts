import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

const web = fileURLToPath(new URL('../../src/console/web', import.meta.url))
const sources = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file))

describe('the page', () => {
  const files: { name: string; text: string }[] = []
  beforeAll(async () => {
    const { build } = await import('vite')
    const result = await build({ configFile: join(web, 'vite.config.ts'), logLevel: 'silent', build: { write: false } })
    for (const { output } of [result].flat() as {
      output: readonly { fileName: string; code?: string; source?: unknown }[]
    }[])
      for (const { fileName, code, source } of output) files.push({ name: fileName, text: code ?? String(source) })
  })
  const of = (ending: string) => files.filter(({ name }) => name.endsWith(ending))

  it('needs nothing but the language: no module of Node is pulled in', () => {
    expect(of('.js')).toHaveLength(1)
    expect(of('.js')[0]!.text).not.toMatch(/browser-external|"node:|`node:/)
  })

  it('loads nothing from elsewhere, and nothing inline that the content policy would refuse', () => {
    const [page] = of('.html')
    expect(page!.text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?:\/\//)
    expect(of('.css')[0]!.text).not.toMatch(/url\(|@import|https?:/)
  })

  it('never makes markup or code of data', () => {
    expect(sources.length).toBeGreaterThan(30)
    const risky = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/
    expect(sources.filter((file) => risky.test(readFileSync(join(web, file), 'utf8')))).toEqual([])
  })
})
