/** @file Source in one file, for processes that a test starts: plain Node begins with it in a tenth of the time that `tsx` takes. */
import { pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

/** `entry`: two folders below the root, from where all of its modules then find what they look for beside them. */
export function bundled(entry: string, outfile: string): string {
  const place = JSON.stringify(pathToFileURL(entry).href)
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.url': place },
    logLevel: 'warning',
  })
  return outfile
}
