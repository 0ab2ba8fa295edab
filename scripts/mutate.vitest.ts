/** @file The tests that mutants meet: all but those that run other processes or a browser, where a mutant is not awake. */
import { defineConfig } from 'vitest/config'
import { ALL, common } from '../vitest.config.ts'

const OTHER_PROCESSES = ['tests/run/tiny.test.ts', 'tests/replay/log-kill.test.ts', 'tests/{bench,cli,console-web}/**']

/** No two files share what they read of the code: what runs at import is a mutant's place in each of them. */
export default defineConfig({ test: { ...common, root: '.', include: ALL, exclude: OTHER_PROCESSES } })
