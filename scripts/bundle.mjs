/** @file Bundles the program into build/program for `bin/program.mjs`: few files to read in place of hundreds. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { sourceStamp } from './source-stamp.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const outdir = `${root}build/program`

/** What is loaded by name: commands, the threads and processes that they start, and what tests look into. */
const PARTS = [...new Set([...openedIn('bin'), ...openedIn('src'), 'robot/safety'])]

function openedIn(folder) {
  const starters = readdirSync(`${root}${folder}`, { recursive: true }).filter((name) => name.endsWith('.mjs'))
  return starters.flatMap((name) => {
    const text = readFileSync(`${root}${folder}/${name}`, 'utf8')
    return [...text.matchAll(/openModule\('([^']+)'\)/g)].map(([, part]) => part)
  })
}

/** Files find others from where they lie in the source, not in the bundle. */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      return { loader: 'ts', contents: text.replaceAll('import.meta.url', `'${pathToFileURL(path).href}'`) }
    })
  },
}

const stamp = sourceStamp()
rmSync(`${outdir}/stamp`, { force: true }) // without it nothing of this is loaded
await build({
  entryPoints: Object.fromEntries(PARTS.map((part) => [part, `${root}src/${part}.ts`])),
  outdir,
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  plugins: [places],
})
forget()
writeFileSync(`${outdir}/stamp`, stamp)

/** Older bundles' files go only after a week: a run that began with them may yet ask for one. */
function forget() {
  const recent = Date.now() - 7 * 24 * 60 * 60 * 1000
  for (const name of readdirSync(outdir, { recursive: true, encoding: 'utf8' })) {
    const file = `${outdir}/${name}`
    if (statSync(file).isFile() && statSync(file).mtimeMs < recent) rmSync(file)
  }
}
