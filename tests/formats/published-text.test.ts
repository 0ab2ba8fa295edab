/** @file JSON of published models, and Git LFS pointers in place of files of every kind. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFlax } from '../../src/formats/flax-msgpack.ts'
import { parseJsonBytes, readJson } from '../../src/formats/json.ts'
import { openNumpyPickle } from '../../src/formats/numpy-pickle.ts'
import { readSafetensors } from '../../src/formats/safetensors.ts'
import { openSafetensors } from '../../src/formats/safetensors-file.ts'
import { loadTokenizer } from '../../src/formats/tokenizer.ts'

const parse = (text: string) => parseJsonBytes(Buffer.from(text), 'some.json', 'Mend it')

describe('published JSON', () => {
  it("takes Python's NaN and Infinity as numbers, and leaves the words alone in strings", () => {
    const text = '{"a": NaN, "b": [-Infinity, Infinity], "NaN": "NaN, \\"Infinity\\" -Infinity"}'
    expect(parse(text)).toEqual({
      a: Number.NaN,
      b: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      NaN: 'NaN, "Infinity" -Infinity',
    })
  })

  it.each(['{"a": 1', '', '{"a": Nan}', '{"a": -NaN}', '{a: 1}'])('refuses %j by its name', (text) => {
    expect(() => parse(text)).toThrow(/^some\.json: is not JSON \(.*\)\. Mend it$/)
  })

  it('drops the mark at its start, and refuses bytes that are no text', () => {
    expect(parse('﻿[1]')).toEqual([1])
    expect(parseJsonBytes(Buffer.from('﻿[1]', 'utf16le'), 'some.json', '')).toEqual([1])
    expect(parseJsonBytes(Buffer.from('﻿[1]', 'utf16le').swap16(), 'some.json', '')).toEqual([1])
    expect(() => parseJsonBytes(Uint8Array.of(0x22, 0xff, 0x22), 'some.json', '')).toThrow('some.json: is not JSON')
  })

  it('takes ends of lines of every system, and of a key that is there twice the last, as Python does', () => {
    expect(parse('{\r\n  "a": 1,\r  "a": 2\n}\r\n')).toEqual({ a: 2 })
  })

  it('says that it is compressed', () => {
    expect(() => parseJsonBytes(gzipSync('[1]'), 'some.json', '')).toThrow('some.json: is compressed (gzip)')
  })
})

describe('a Git LFS pointer', () => {
  let home = ''
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'duet-lfs-'))
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  // as the specification of Git LFS has it, with the address of its first years, with an extension's line, from Windows
  const oid = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393'
  const pointers = {
    plain: `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`,
    old: `version https://hawser.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`,
    extended: `version https://git-lfs.github.com/spec/v1\next-0-foo sha256:${oid}\noid sha256:${oid}\nsize 12345\n`,
    windows: `version https://git-lfs.github.com/spec/v1\r\noid sha256:${oid}\r\nsize 12345\r\n`,
    marked: `﻿version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`,
    indented: `\n  version https://git-lfs.github.com/spec/v1 \n  oid sha256:${oid.toUpperCase()}\n  size 12345`,
    mac: `version https://git-lfs.github.com/spec/v1\roid sha256:${oid}\rsize 12345\r`,
  }
  const readers: [string, (path: string) => Promise<unknown>][] = [
    ['model.safetensors', openSafetensors],
    ['policy.safetensors', readSafetensors],
    ['model.safetensors.index.json', openSafetensors],
    ['resnet10_params.pkl', openNumpyPickle],
    ['checkpoint', openFlax],
    ['config.json', (path) => readJson(path, '')],
    ['tokenizer.json', () => loadTokenizer(home)],
    ['spiece.model', () => loadTokenizer(home)],
  ]
  for (const [kind, pointer] of Object.entries(pointers))
    it.each(readers)(`(${kind}) in place of %s is called that`, async (name, read) => {
      const path = join(home, name)
      await writeFile(path, pointer)
      const error: Error = await read(path).then(
        () => new Error('it was read'),
        (thrown) => thrown,
      )
      await rm(path)
      expect(error.message).toMatch(/: is a Git LFS pointer, not the file of 12345 bytes\. Run .*git lfs pull/)
      expect(error.message.startsWith(path)).toBe(true)
    })

  it('is not seen in a file that only talks of one', async () => {
    expect(parse(JSON.stringify(pointers.plain))).toBe(pointers.plain)
    const begun = `version https://git-lfs.github.com/spec/v1${' '.repeat(900)}\n`
    expect(() => parse(begun)).toThrow('is not JSON') // and does not take for ever
  })

  const pages = {
    login: '<!DOCTYPE html>\n<html lang="en"><title>Sign in</title></html>',
    bare: '\r\n﻿<HTML><body>404</body></HTML>'.trimStart(),
    store: '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>',
    long: `<html>${'<p>Blocked by the firm.</p>'.repeat(200)}</html>`,
  }
  for (const [kind, page] of Object.entries(pages))
    it.each(readers)(`is told from a web page (${kind}) in place of %s`, async (name, read) => {
      const path = join(home, name)
      await writeFile(path, page)
      const error: Error = await read(path).then(
        () => new Error('it was read'),
        (thrown) => thrown,
      )
      await rm(path)
      expect(error.message).toBe(
        `${path}: is a web page (HTML or XML), not the file. Download the file itself, signed in where the server asks for it`,
      )
    })
})
