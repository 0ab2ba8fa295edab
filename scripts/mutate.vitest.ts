/** @file The tests that mutants meet: all but those that run other processes or a browser, where a mutant is not awake. */
import { defineConfig, mergeConfig } from 'vitest/config'
import common from '../vitest.config.ts'

const OTHER_PROCESSES = ['tests/run/tiny.test.ts', 'tests/replay/log-kill.test.ts', 'tests/{bench,cli,console-web}/**']

export default mergeConfig(common, defineConfig({ test: { root: '.', exclude: OTHER_PROCESSES } }))
