import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const web = join(root, 'src/console/web')
const built = join(root, 'build/console')
const sources = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file))

describe('the page', () => {
  const files: { name: string; text: string }[] = []
  beforeAll(() => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, encoding: 'utf8' })
    expect(status, stderr).toBe(0) // it builds the page anew where its source has changed
    for (const name of readdirSync(built, { recursive: true, encoding: 'utf8' }))
      if (/\.\w+$/.test(name)) files.push({ name, text: readFileSync(join(built, name), 'utf8') })
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
